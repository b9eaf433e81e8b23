"""Tells from what the system or a library raised why no link came about."""

import errno
import socket
import ssl
from typing import Final

from texswarm_desktop.client.states import Trouble

_NO_ANSWER: Final = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN})


def trouble_of(error: BaseException) -> Trouble:  # noqa: PLR0911 - a table
    """Return the Trouble behind an error of a socket; ENDED for one that says nothing."""
    match error:
        case socket.gaierror() | UnicodeError():
            return Trouble.NAME_UNKNOWN
        case ssl.SSLCertVerificationError():
            return Trouble.UNTRUSTED
        case ssl.SSLError():
            return Trouble.TLS
        case ConnectionRefusedError():
            return Trouble.NOBODY
        case TimeoutError():
            return Trouble.NO_ANSWER
        case OSError(errno=number) if number in _NO_ANSWER:
            return Trouble.NO_ANSWER
        case OSError(errno=None) if f"[Errno {errno.ECONNREFUSED}]" in str(error):  # several addresses of one name
            return Trouble.NOBODY
        case _:
            return Trouble.ENDED
