"""How a text file is known to be on disk, and one that was replaced and may still be written to."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from texswarm_desktop.core.reconcile import Found
from texswarm_desktop.core.text_bytes import MAX_TEXT_BYTES, DecodedText, decode_text
from texswarm_desktop.services.disk import Disk, HeldFile
from texswarm_desktop.services.figure_record import Stamp, stamp_of

_SECOND_NS: Final = 1_000_000_000
#: How often a file is read that is written to meanwhile. Its stamp is then that of a moment ago in any case.
_MOST_READS: Final = 3
#: Two writes closer together than this may have one time of writing; the second is for disks that know no fractions.
_TICK_NS: Final = 100_000_000
_COARSE_TICK_NS: Final = 2 * _SECOND_NS


@dataclass(frozen=True, slots=True)
class DiskState:
    """What is known to be on disk under a path: the digest of its content, and how it looked from outside then.

    `is_sure`: another content will look different. It may not when it is written in the same tick of the clock.
    """

    stamp: Stamp
    digest: bytes
    is_sure: bool = field(default=True, compare=False)

    def still(self, stamp: Stamp) -> bool:
        """Say whether what looks like this is known to hold the same, without reading it."""
        return self.is_sure and stamp == self.stamp


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A file as it was read; `decoded` is None when it is not text. `by_git`: git itself wrote it, just then."""

    state: DiskState
    decoded: DecodedText | None
    by_git: bool = field(default=False, compare=False)

    @property
    def text(self) -> str | None:
        """The text, if it is one."""
        return self.decoded.text if self.decoded else None

    @property
    def found(self) -> Found:
        """The part that decisions are made of."""
        return Found(self.state.digest, self.decoded)


class ReplacedFile:
    """A file that we took the place of at `path`, and that was as `known` then.

    Whoever opened it before we did that goes on writing to it, and would write to nowhere.
    """

    def __init__(self, disk: Disk, path: str, known: DiskState, held: HeldFile) -> None:
        self.path, self.known = path, known
        self._disk, self._held = disk, held

    def look(self) -> DiskFile | None:
        """Return what is in it, if that is another content than was known; blocks."""
        stamp = stamp_of(self._held.status())
        if self.known.still(stamp) or stamp.size > MAX_TEXT_BYTES:
            return None
        stamp, data = read_steadily(lambda: stamp_of(self._held.status()), self._held.read)
        state = state_of(stamp, digest_of(data), self._disk.now_ns())
        if state.digest == self.known.digest:
            self.known = state
            return None
        return DiskFile(state, decode_text(data))

    def close(self) -> None:
        """Let go of it."""
        self._held.close()


def read_steadily(stamp: Callable[[], Stamp], read: Callable[[], bytes]) -> tuple[Stamp, bytes]:
    """Read a file, with its stamp: half of what is being saved must not pass for what has stood there for long."""
    before, data, after = stamp(), read(), stamp()
    for _ in range(_MOST_READS - 1):
        if before == after:
            break
        before, data, after = after, read(), stamp()
    return before, data


def state_of(stamp: Stamp, digest: bytes, now_ns: int) -> DiskState:
    """Return the state of a file that looked like `stamp` before it was read; `now_ns`: now, by the disk's clock."""
    tick_ns = _TICK_NS if stamp.modified_ns % _SECOND_NS else _COARSE_TICK_NS
    return DiskState(stamp, digest, stamp.modified_ns + tick_ns < now_ns)


def digest_of(data: bytes) -> bytes:
    """Return what content is recognised by."""
    return hashlib.sha256(data).digest()
