"""The kernel's own word that an address, a link or a route of this machine changed; on Linux only.

It says that something changed, not what: whoever listens looks again. Elsewhere one has to look now and then.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

#: One change comes in several pieces: an address goes, another comes, then a route.
SETTLE_S: Final = 0.05
#: As much as is read at once.
NEWS_BYTES: Final = 65536
#: Groups of rtnetlink(7): links, and addresses and routes of both families.
_GROUPS: Final = 0x1 | 0x10 | 0x40 | 0x100 | 0x400


@contextmanager
def kernel_news() -> Iterator[socket.socket | None]:
    """A socket that can be read when something changed; None where nobody tells."""
    if sys.platform != "linux":
        yield None
        return
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as news:
        news.setblocking(False)
        news.bind((0, _GROUPS))
        yield news


def pass_over(news: socket.socket) -> None:
    """Read what there is, without waiting: all of it says one thing. More than the buffer holds is an OSError once."""
    with suppress(OSError):
        while news.recv(NEWS_BYTES):
            pass
