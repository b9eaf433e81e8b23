"""Who may do what in a project, and by which invitations others can come: ready to show to an owner.

Pure. A server tells; who asks it is `member_talk`.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from texswarm_desktop.viewmodels.people import Person
from texswarm_server.protocol.messages import RoleName

ROLE_WORDS: Final[dict[RoleName, str]] = {"owner": "Owner", "editor": "May write", "viewer": "May read"}
_WAYS: Final = {"nearby": "From the list on this network", "code": "By the join code"}
_FOREVER: Final = "does not expire"
_WHILE_SHARED: Final = "ends with the sharing"


class Member(msgspec.Struct, frozen=True):
    """Somebody who is in the project, whether here now or not; or was, and `is_out`, perhaps for good (`is_banned`)."""

    person: Person
    role: RoleName
    is_me: bool = False
    is_out: bool = False
    is_banned: bool = False

    @property
    def words(self) -> str:
        """What is said of somebody who was taken out."""
        return "banned" if self.is_banned else "removed"


class Invitation(msgspec.Struct, frozen=True):
    """A way in that still works. `expires_at` is in seconds since the epoch; None: no limit.

    `is_shared_link`: it is in the link of the window that shares.
    """

    invite_id: str
    role: RoleName
    uses: int = 0
    max_uses: int | None = None
    expires_at: float | None = None
    way: str = ""
    is_shared_link: bool = False

    @property
    def name(self) -> str:
        """How people come by it."""
        if self.way in _WAYS:
            return _WAYS[self.way]
        return "The link you share" if self.is_shared_link else "A link"

    @property
    def words(self) -> str:
        """What the invitation is good for."""
        times = "once" if self.uses == 1 else f"{self.uses} times"
        used = f"used {times}" if self.uses else "not used yet"
        if self.max_uses is not None:
            used = f"used {self.uses} of {self.max_uses} times"
        if self.expires_at is None:
            return f"{used} · {_WHILE_SHARED if self.way in _WAYS else _FOREVER}"
        return f"{used} · until {datetime.fromtimestamp(self.expires_at, UTC):%d %B %Y}"


class GiveRole(msgspec.Struct, frozen=True):
    """Let somebody do more, or less."""

    user_id: str
    role: RoleName


class TakeOut(msgspec.Struct, frozen=True):
    """Take somebody out; `for_good`: no invitation leads back."""

    user_id: str
    for_good: bool


class LetBack(msgspec.Struct, frozen=True):
    """Forget that somebody was taken out."""

    user_id: str


class Withdraw(msgspec.Struct, frozen=True):
    """Let nobody else in by an invitation."""

    invite_id: str


Decision = GiveRole | TakeOut | LetBack | Withdraw


class Membership(msgspec.Struct, frozen=True):
    """Everything an owner sees of who may come in."""

    members: tuple[Member, ...] = ()
    invitations: tuple[Invitation, ...] = ()

    @property
    def owners(self) -> int:
        """How many may decide; the last one cannot be taken away."""
        return sum(member.role == "owner" and not member.is_out for member in self.members)


def sorted_members(members: Iterable[Member]) -> tuple[Member, ...]:
    """Return oneself first, then those who are in by name, then those who are out."""
    return tuple(sorted(members, key=lambda one: (one.is_out, not one.is_me, one.person.name.casefold())))
