"""A certificate's fingerprint as four words, for two people to compare who look at two screens.

Four words are 40 bits. Somebody in the middle who wants to show the same four has to make certificates until one fits,
and may do that beforehand, because a host keeps its key. So each try is made dear: the words are taken from scrypt over
the fingerprint, with 64 MiB and some tenths of a second each. 2^40 tries of that are ten thousand years of one core,
and memory is what graphics cards and special hardware are short of. It takes as long here, once per fingerprint.
"""

from hashlib import scrypt
from typing import Final

from texswarm_server.pairing.word_list import WORDS

WORD_COUNT: Final = 4
_SALT: Final = b"texswarm fingerprint words 1"
_COST: Final = 2**16
_BLOCK: Final = 8
_MEMORY_BYTES: Final = 2 * 128 * _COST * _BLOCK
_BITS: Final = 10


def words_of(fingerprint: str) -> str:
    """Return the words of a fingerprint in hex; takes some tenths of a second."""
    secret = fingerprint.replace(":", "").lower().encode()
    digest = scrypt(secret, salt=_SALT, n=_COST, r=_BLOCK, p=1, maxmem=_MEMORY_BYTES, dklen=WORD_COUNT * _BITS // 8)
    number = int.from_bytes(digest, "big")
    places = [number >> _BITS * step & len(WORDS) - 1 for step in reversed(range(WORD_COUNT))]
    return " ".join(WORDS[place] for place in places)
