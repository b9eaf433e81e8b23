"""How the content of a version is kept: compressed, with a checksum beside it."""

import zlib
from typing import Final

from texswarm_server.protocol.errors import CorruptSnapshotError

_COMPRESSION: Final = 6


def pack(content: bytes) -> bytes:
    """Return the content of a document as a version stores it."""
    return zlib.compress(content, _COMPRESSION)


def unpack(crc: int, packed: bytes, what: str) -> bytes:
    """Return what was packed; raises CorruptSnapshotError when it is not what was written."""
    try:
        if zlib.crc32(packed) == crc:
            return zlib.decompress(packed)
    except (TypeError, zlib.error):
        pass
    raise CorruptSnapshotError(f"{what} is not what was written")
