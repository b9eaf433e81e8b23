"""A session's place in a room, from opening the document until it is closed or the session ends."""

import hashlib
from dataclasses import dataclass, field

from texswarm_server.protocol.ids import SessionId, UserId
from texswarm_server.protocol.messages import GUEST_NAME, Participant, PresenceState, RoleName


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who joins. `is_forgetful`: its client forgets a state of presence that is not told anew for half a minute."""

    session_id: SessionId
    user_id: UserId
    display_name: str
    color: str
    role: RoleName
    is_forgetful: bool = False


@dataclass(slots=True, eq=False)
class Member:
    """One opening of the document by one session. `received` and `acknowledged` count update-bearing messages.

    `is_withheld`: an update was refused that may be taken another day, so that nothing more may be acknowledged.
    `held_at` is the state vector up to which a member that reads too slowly was served; None while it keeps up.
    `told_at`: as of which moment of the roster it knows who is here. `came_at`: how many had left the presence of the
    room when it came; `silenced_ids`: places it showed on this connection and took away itself.
    """

    profile: Profile
    state: PresenceState = "here"
    received: int = 0
    acknowledged: int = 0
    is_withheld: bool = False
    held_at: bytes | None = None
    told_at: int = 0
    awareness_ids: set[int] = field(default_factory=set)
    former_ids: set[int] = field(default_factory=set)
    silenced_ids: set[int] = field(default_factory=set)
    came_at: int = 0
    _told: tuple[Profile, Participant] | None = None

    @property
    def session_id(self) -> SessionId:
        """The session whose place this is."""
        return self.profile.session_id

    @property
    def is_here(self) -> bool:
        """Whether a connection serves it."""
        return self.state == "here"

    @property
    def is_keeping_up(self) -> bool:
        """Whether it is to be sent everything as it comes."""
        return self.state == "here" and self.held_at is None

    def participant(self) -> Participant:
        """Return what others are told; the session's id stays a secret of its user."""
        profile = self.profile
        if self._told and self._told[0] is profile and self._told[1].state == self.state:
            return self._told[1]
        participant = Participant(
            participant_id=hashlib.sha256(profile.session_id.encode()).hexdigest()[:16],
            user_id=profile.user_id,
            display_name=profile.display_name or GUEST_NAME,
            color=profile.color,
            role=profile.role,
            state=self.state,
        )
        self._told = profile, participant
        return participant
