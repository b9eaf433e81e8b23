"""How many connections there may be: altogether, from one address, and without a sign-in. Pure.

A handshake that finds no place is answered with 503. There are more places without a sign-in than with one, so that
who comes to a full server is let as far as the sign-in, and refused there in the words of its wire.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_SPARE_SOCKETS: Final = 64
"""For who asks in plain HTTP how a full server does."""


class NoPlace(StrEnum):
    """Why a handshake found no place."""

    ADDRESS_FULL = "address"
    UNAUTHENTICATED_FULL = "unauthenticated"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionLimits:
    """The most connections: signed in, from one address (None: as many as there may be), and not signed in."""

    max_connections: int
    max_per_address: int | None
    max_unauthenticated: int

    @property
    def max_sockets(self) -> int:
        """How many sockets may be open, whatever they say."""
        return self.max_connections + self.max_unauthenticated + _SPARE_SOCKETS


class Admission:
    """Invariant: the counts are those of the places that were taken and not left."""

    def __init__(self, limits: AdmissionLimits) -> None:
        self.limits = limits
        self.is_leaving = False
        self._signed_in = 0
        self._unauthenticated = 0
        self._by_address: Counter[str] = Counter()

    @property
    def is_full(self) -> bool:
        """Whether nobody more may sign in."""
        return self._signed_in >= self.limits.max_connections

    def take_place(self, address: str) -> "Place | NoPlace":
        """Let a connection in that has not signed in. `address`: see `protocol.network_place`."""
        most = self.limits.max_per_address
        if self.is_leaving:
            return NoPlace.LEAVING
        if most is not None and self._by_address[address] >= most:
            return NoPlace.ADDRESS_FULL
        if self._unauthenticated >= self.limits.max_unauthenticated:
            return NoPlace.UNAUTHENTICATED_FULL
        self._by_address[address] += 1
        self._unauthenticated += 1
        return Place(self, address)

    def move(self, by: int) -> None:
        """Note that `by` places became such with a sign-in; fewer than none: lost it again."""
        self._unauthenticated -= by
        self._signed_in += by

    def leave(self, address: str, *, is_signed_in: bool) -> None:
        """Note that a place was left."""
        if is_signed_in:
            self._signed_in -= 1
        else:
            self._unauthenticated -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


@dataclass(slots=True, eq=False)
class Place:
    """One connection's place; may be left twice."""

    admission: Admission
    address: str
    is_signed_in: bool = field(default=False, init=False)
    _is_left: bool = field(default=False, init=False)

    def sign_in(self, *, is_replacing: bool = False) -> bool:
        """Take a place with a sign-in, before it is known whether that succeeds; False where there is none.

        `is_replacing`: another connection gives way, so that there is room.
        """
        if self._is_left or self.is_signed_in:
            return not self._is_left
        if self.admission.is_full and not is_replacing:
            return False
        self.is_signed_in = True
        self.admission.move(1)
        return True

    def sign_off(self) -> None:
        """Have a place without a sign-in again."""
        if self.is_signed_in and not self._is_left:
            self.is_signed_in = False
            self.admission.move(-1)

    def leave(self) -> None:
        """Give the place back."""
        if not self._is_left:
            self._is_left = True
            self.admission.leave(self.address, is_signed_in=self.is_signed_in)
