"""What a service manager is told: that the server accepts connections (systemd's `Type=notify`)."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

_VARIABLE: Final = "NOTIFY_SOCKET"
_READY: Final = b"READY=1"


def tell_ready(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell the service manager; False where there is none, or it does not listen.

    The form of the message: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
    """
    address = environ.get(_VARIABLE, "")
    if address[:1] not in {"/", "@"} or not hasattr(socket, "AF_UNIX"):
        return False
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_manager:
        to_manager.sendto(_READY, address.replace("@", "\0", 1))
        return True
    return False
