"""The join code: a number that leads to the host, and two words that prove that one was told. `417-otter-maple`.

The number is no secret: the host announces it, so that a guest tries the right one. The two words are, and are never
sent: they go into the key exchange (`exchange`). They are worth 20 bits, which is little against who could try in
private, and enough against who has to ask the host each time and is heard a few times only (`sessions.join_codes`).
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from texswarm_server.pairing.word_list import WORDS
from texswarm_server.protocol.errors import ErrorCode, RejectedError

RandomBytes = Callable[[int], bytes]

_FIRST_NUMBER: Final = 100
_NUMBERS: Final = 900
_BYTES: Final = 8
_BOUNDARY: Final = re.compile(r"[\s,;.:_/+–—-]+")
_KNOWN: Final = frozenset(WORDS)


class WrongCodeError(RejectedError):
    """The other side does not have the same code, or somebody in the middle has another certificate."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.CODE_WRONG, "the other side has another key")


@dataclass(frozen=True, slots=True)
class JoinCode:
    """A code. `nameplate`: its number, no secret; `words`: the secret ones."""

    nameplate: str
    words: tuple[str, str]

    def __str__(self) -> str:
        return "-".join((self.nameplate, *self.words))

    @property
    def secret(self) -> bytes:
        """What both sides put into the key exchange."""
        return " ".join(self.words).encode()


def new_join_code(random: RandomBytes, taken: Collection[str] = ()) -> JoinCode:
    """Return a fresh code whose number is not among those `taken`, of which there must be fewer than 900."""
    start = _below(_NUMBERS, random)
    numbers = (str(_FIRST_NUMBER + (start + step) % _NUMBERS) for step in range(_NUMBERS))
    nameplate = next(number for number in numbers if number not in taken)
    return JoinCode(nameplate, (WORDS[_below(len(WORDS), random)], WORDS[_below(len(WORDS), random)]))


def read_join_code(text: str) -> JoinCode | None:
    """Return the code that was typed, in any spelling people use; None for what is none.

    The words need not be among ours: `unknown_words` tells, so that a slip of the finger costs no try.
    """
    parts = [part for part in _BOUNDARY.split(text.strip().casefold()) if part]
    match parts:
        case [number, first, second] if _is_number(number) and first.isalpha() and second.isalpha():
            return JoinCode(number, (first, second))
        case _:
            return None


def unknown_words(code: JoinCode) -> dict[str, str]:
    """Return the words that no code has, each with the nearest that one could have, or nothing."""
    return {word: next(iter(get_close_matches(word, WORDS, 1, 0.6)), "") for word in code.words if word not in _KNOWN}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) == len(str(_FIRST_NUMBER))


def _below(limit: int, random: RandomBytes) -> int:
    """Return a number from 0 to below `limit`; of 64 bits the remainder is even enough."""
    return int.from_bytes(random(_BYTES), "big") % limit
