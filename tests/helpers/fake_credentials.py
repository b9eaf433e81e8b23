"""Credentials in memory that note what they were told."""

from texswarm_desktop.client.states import Rung
from texswarm_server.protocol.errors import ErrorCode
from texswarm_server.protocol.messages import AuthenticationResult, TokenRenewed


class FakeCredentials:
    """Behaves as the real ones: an invite goes once a refresh token is there, a refused credential is forgotten."""

    def __init__(
        self,
        *,
        invite: str | None = "invite",
        access: str | None = None,
        refresh: str | None = None,
        session: str | None = None,
    ) -> None:
        self.user_id: str | None = None
        self.display_name, self.color = "Ada", "#336699"
        self.access_token, self.refresh_token, self.invite = access, refresh, invite
        self.access_expires_at: float | None = None
        self.session_id = session
        self.is_shut = False
        self.caught_up = 0
        self.refusals: list[tuple[Rung, str]] = []
        self.results: list[AuthenticationResult] = []

    def describe(self, name: str, color: str) -> None:
        self.display_name, self.color = name, color

    async def catch_up(self) -> None:
        self.caught_up += 1

    def signed_in(self, result: AuthenticationResult) -> None:
        self.results.append(result)
        self.user_id, self.session_id = result.user_id, result.session_id
        if result.access_token:
            self.access_token, self.access_expires_at = result.access_token, result.expires_at
        if result.refresh_token:
            self.refresh_token, self.invite = result.refresh_token, None

    def renewed(self, message: TokenRenewed) -> None:
        self.access_token, self.access_expires_at = message.access_token, message.expires_at

    def refused(self, kind: Rung, code: str) -> None:
        self.refusals.append((kind, code))
        match kind:
            case Rung.ACCESS:
                self.access_token = None
            case Rung.REFRESH if code != ErrorCode.TOKEN_INVALID:
                self.refresh_token = None
            case Rung.INVITE:
                self.invite = None
