"""When an invite lets somebody in, and what is in its way when it does not."""

from typing import Protocol

from texswarm_server.protocol.errors import ErrorCode


class Terms(Protocol):
    """What an invite is bound to; times in seconds since the epoch, None for no limit."""

    @property
    def is_revoked(self) -> bool:
        """Whether it was taken back."""

    @property
    def expires_at(self) -> float | None:
        """When its time is over."""

    @property
    def uses(self) -> int:
        """How often it was used."""

    @property
    def max_uses(self) -> int | None:
        """How often it may be used."""


def obstacle(terms: Terms, now: float, *, is_counted: bool = True) -> ErrorCode | None:
    """Return why an invite lets nobody in, None when it does; not `is_counted`: for who was let in by it before."""
    if terms.is_revoked:
        return ErrorCode.INVITE_REVOKED
    if terms.expires_at is not None and now >= terms.expires_at:
        return ErrorCode.INVITE_EXPIRED
    if is_counted and terms.max_uses is not None and terms.uses >= terms.max_uses:
        return ErrorCode.INVITE_USED_UP
    return None
