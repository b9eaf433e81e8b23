"""What the system says when it does not write, as errors of ours: whoever reads them can do something about it."""

import errno
import sqlite3
from collections.abc import Mapping
from typing import Final

from texswarm_server.protocol.errors import DiskFullError, NotWritableError, WriteDeniedError

_KINDS: Final[Mapping[int | None, type[NotWritableError]]] = {
    errno.ENOSPC: DiskFullError,
    errno.EDQUOT: DiskFullError,
    errno.EACCES: WriteDeniedError,
    errno.EPERM: WriteDeniedError,
    errno.EROFS: WriteDeniedError,
}
_KINDS_OF_SQLITE: Final[Mapping[int, type[NotWritableError]]] = {
    sqlite3.SQLITE_FULL: DiskFullError,
    sqlite3.SQLITE_READONLY: WriteDeniedError,
    sqlite3.SQLITE_PERM: WriteDeniedError,
}
#: An extended code has the plain one in its lowest byte.
_PLAIN_CODE: Final = 0xFF


def not_writable(place: object, error: OSError) -> NotWritableError:
    """Return why nothing could be written at a `place`."""
    return _KINDS.get(error.errno, NotWritableError)(f"{place}: {error.strerror or error}")


def database_not_writable(place: object, error: sqlite3.OperationalError) -> NotWritableError:
    """Return why nothing could be written into the database at a `place`."""
    return _KINDS_OF_SQLITE.get(error.sqlite_errorcode & _PLAIN_CODE, NotWritableError)(f"{place}: {error}")
