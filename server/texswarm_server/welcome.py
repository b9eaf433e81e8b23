"""What who signed in is told, and the access tokens it is given from then on."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from texswarm_server import __version__
from texswarm_server.config import ServerConfig
from texswarm_server.net.peer import Peer
from texswarm_server.protocol.ids import UserId
from texswarm_server.protocol.messages import Authentication, AuthenticationResult, ServerInfo, TokenRenewed
from texswarm_server.sessions.access_tokens import AccessTokens
from texswarm_server.sessions.arrival import Arrival
from texswarm_server.sessions.registry import Session
from texswarm_server.sessions.sign_in import SignedIn


@dataclass(slots=True)
class Guest:
    """A signed-in peer."""

    peer: Peer
    signed_in: SignedIn
    session: Session
    arrival: Arrival
    renewal: asyncio.TimerHandle | None = None

    @property
    def user_id(self) -> UserId:
        """Who it is."""
        return self.signed_in.user.user_id

    def stop_renewal(self) -> None:
        """Give it no more tokens."""
        if self.renewal is not None:
            self.renewal.cancel()


class Welcome:
    """Invariant: who was welcomed is given another access token in time, until its renewal is stopped."""

    def __init__(self, tokens: AccessTokens, config: ServerConfig, *, wall_clock: Callable[[], float]) -> None:
        self._tokens = tokens
        self._config = config
        self._wall_clock = wall_clock
        self._loop = asyncio.get_running_loop()

    def words(
        self, guest: Guest, message: Authentication, *, is_resumed: bool, documents_follow: bool = False
    ) -> AuthenticationResult:
        """Return the answer to `message`, with an access token: the one it came with, or another."""
        token, expires_at = self._keep(guest) if guest.signed_in.token else self._issue(guest)
        return AuthenticationResult(
            ok=True,
            user_id=guest.user_id,
            session_id=guest.session.session_id,
            resumed=is_resumed,
            access_token=token,
            expires_at=expires_at,
            refresh_token=guest.signed_in.refresh_token,
            can_create=guest.signed_in.user.can_create or self._config.open,
            server=ServerInfo(name=self._config.name, version=__version__),
            limits=self._config.limits,
            heartbeat_s=self._config.heartbeat_s,
            grace_s=self._config.grace_s,
            awaiting=None if guest.signed_in.knock is None else guest.signed_in.knock.document_id,
            documents_follow=documents_follow,
            request=message.request,
        )

    def renew(self, guest: Guest) -> None:
        """Give a guest another token now."""
        token, expires_at = self._issue(guest)
        guest.peer.tell(TokenRenewed(access_token=token, expires_at=expires_at))

    def _issue(self, guest: Guest) -> tuple[str, float]:
        """Make an access token and see to it that the next one is made in time."""
        now = self._wall_clock()
        token, expires_at = self._tokens.issue(guest.user_id, guest.signed_in.grant_id, now)
        self._renew_in_time(guest, expires_at, now)
        return token, expires_at

    def _keep(self, guest: Guest) -> tuple[str, float]:
        """Let a guest go on with the access token it came with, and see to it that the next one is made in time."""
        token, expires_at = guest.signed_in.token, guest.signed_in.token_expires_at
        guest.signed_in = replace(guest.signed_in, token="")
        self._renew_in_time(guest, expires_at, self._wall_clock())
        return token, expires_at

    def _renew_in_time(self, guest: Guest, expires_at: float, now: float) -> None:
        guest.stop_renewal()
        delay_s = self._tokens.renewal_delay_s(expires_at, now)
        guest.renewal = self._loop.call_later(delay_s, self.renew, guest)
