"""Asks a running server, over the loopback, whether it is ready; nothing is written anywhere."""

import http.client
import json
import ssl
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from texswarm_server.protocol.invite_link import ServerAddress

_PATIENCE_S: Final = 3.0
_NEAR: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared, not bound
_MOST_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server of ours said: its version, and whether it takes people in now."""

    version: str
    is_ready: bool


def ask_server(address: ServerAddress) -> Answer | None:
    """Return what the server at an address of this machine answers, None when none of ours does."""
    try:
        ping = json.loads(_get(address, "/api/ping")[1])
        version = ping.get("server_version") if isinstance(ping, dict) else None
        return Answer(version, _get(address, "/readyz")[0] == http.HTTPStatus.OK) if isinstance(version, str) else None
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return None


def _get(address: ServerAddress, path: str) -> tuple[int, bytes]:
    host = _NEAR.get(address.host, address.host)
    if address.tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # ourselves, over the loopback
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, address.port, timeout=_PATIENCE_S, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, address.port, timeout=_PATIENCE_S)
    with closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(_MOST_BYTES)
