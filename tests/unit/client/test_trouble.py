import errno
import socket
import ssl

import pytest

from texswarm_desktop.client.states import Trouble
from texswarm_desktop.client.trouble import trouble_of


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), Trouble.NOBODY),
        (
            OSError(f"Multiple exceptions: [Errno {errno.ECONNREFUSED}] a, [Errno {errno.ECONNREFUSED}] b"),
            Trouble.NOBODY,
        ),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), Trouble.NAME_UNKNOWN),
        (UnicodeError("label too long"), Trouble.NAME_UNKNOWN),
        (ssl.SSLError(1, "wrong version number"), Trouble.TLS),
        (ssl.SSLCertVerificationError(1, "self-signed"), Trouble.UNTRUSTED),
        (TimeoutError(), Trouble.NO_ANSWER),
        (OSError(errno.EHOSTUNREACH, "no route"), Trouble.NO_ANSWER),
        (OSError(errno.ENETUNREACH, "no network"), Trouble.NO_ANSWER),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Trouble.ENDED),
        (ValueError("nonsense"), Trouble.ENDED),
    ],
)
def test_what_the_system_says_has_a_name(error, trouble):
    assert trouble_of(error) is trouble
