"""Where a server sends its guests on to, and when they may go. Pure.

A redirect proves nothing: the sign-in page of a network sends everybody on as well. What is followed leads to the same
name, to the same kind of door (`/ws`), and never from encryption to none, as a web server does that wants HTTPS, or has
given its server another prefix. Anything else is told, with where it leads.
"""

from typing import Final
from urllib.parse import urljoin, urlsplit

from texswarm_server.protocol.invite_link import ServerAddress

_TLS: Final = {"http": False, "ws": False, "https": True, "wss": True}
_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
#: RFC 9110, 15.4: for good, so that it is a new address and not a detour.
_PERMANENT: Final = frozenset({301, 308})
_MOST_CHARS: Final = 500


def is_permanent(status: int) -> bool:
    """Say whether a redirect is one for good."""
    return status in _PERMANENT


def sent_on_to(address: ServerAddress, asked: str, status: int, location: str) -> ServerAddress | None:
    """Return where an answer to a request for the path `asked` leads, for the same purpose; None: nowhere of use."""
    door = asked.removeprefix(address.prefix)
    if status not in _STATUSES or not location or len(location) > _MOST_CHARS:
        return None
    try:
        base = ServerAddress(address.host, address.port, address.tls, asked).url
        parts = urlsplit(urljoin(f"http{base.removeprefix('ws')}", location))
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    tls = _TLS.get(parts.scheme)
    if tls is None or not host or not parts.path.endswith(door):
        return None
    here = address.path.removeprefix(address.prefix)
    path = f"{parts.path.removesuffix(door)}{here}"
    return ServerAddress(host, port or (443 if tls else 80), tls, path)


def may_follow(old: ServerAddress, new: ServerAddress) -> bool:
    """Say whether to go on there without asking anybody."""
    is_same_machine = old.host.rstrip(".").lower() == new.host.rstrip(".").lower()
    return is_same_machine and new != old and (new.tls or not old.tls)
