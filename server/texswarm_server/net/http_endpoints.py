"""What a plain GET is answered: health for operators, and the probe of first-generation clients."""

from collections.abc import Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

import msgspec
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from texswarm_server import __version__
from texswarm_server.protocol.version import (
    OLDEST_PROTOCOL_VERSION,
    PAIRING_PATH,
    PROTOCOL_VERSION,
    WEBSOCKET_PATH,
    YJS_PATH,
)

_PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"


class HttpEndpoints:
    """Answers requests that are not for a WebSocket.

    `is_ready`: whether the server can take people in now; `metrics`: its numbers, in the text format of Prometheus.
    """

    def __init__(self, is_ready: Callable[[], bool], metrics: Callable[[], bytes]) -> None:
        self._is_ready = is_ready
        self._metrics = metrics

    def respond(self, request: Request, *, may_measure: Callable[[], bool], address: str = "") -> Response | None:
        """Return the answer, or None where the WebSocket handshake goes on.

        `may_measure`: whether to tell numbers. `address`: who asks, as it looks from here.
        """
        path = request.path.partition("?")[0]
        if path in {WEBSOCKET_PATH, PAIRING_PATH} or path.startswith(YJS_PATH):
            return None
        if path == "/metrics" and not may_measure():
            return _json(HTTPStatus.FORBIDDEN, {"status": "forbidden"})
        return self._answer(path, address)

    def _answer(self, path: str, address: str) -> Response:
        match path:
            case "/healthz":
                return _json(HTTPStatus.OK, {"status": "ok"})
            case "/readyz" if self._is_ready():
                return _json(HTTPStatus.OK, {"status": "ready"})
            case "/readyz":
                return _json(HTTPStatus.SERVICE_UNAVAILABLE, {"status": "not ready"})
            case "/metrics":
                return _answer(HTTPStatus.OK, _PROMETHEUS, self._metrics(), is_for_pages=False)
            case "/api/ping":
                return _json(HTTPStatus.OK, _pong(address))
            case _:
                return _json(HTTPStatus.NOT_FOUND, {"status": "not found"})


def refuse_for_now(code: str, retry_after_s: int = 1) -> Response:
    """Return the answer to a WebSocket handshake that may succeed later; `code` as in an `Error`."""
    response = _json(HTTPStatus.SERVICE_UNAVAILABLE, {"status": "not ready", "code": code})
    response.headers["Retry-After"] = str(retry_after_s)
    return response


def _pong(address: str) -> dict[str, str | int]:
    """Return what anybody is told who asks who is there."""
    return {
        "status": "ok",
        "server_version": __version__,
        "protocol": PROTOCOL_VERSION,
        "oldest_protocol": OLDEST_PROTOCOL_VERSION,
        "client_address": address,
    }


def _json(status: HTTPStatus, content: Mapping[str, str | int]) -> Response:
    return _answer(status, "application/json", msgspec.json.encode(content))


def _answer(status: HTTPStatus, content_type: str, body: bytes, *, is_for_pages: bool = True) -> Response:
    """`is_for_pages`: whether a page of another site may read it, in the browser of somebody who may."""
    headers = Headers(
        {
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            "Connection": "close",
            "Date": formatdate(usegmt=True),
        }
    )
    if is_for_pages:
        headers["Access-Control-Allow-Origin"] = "*"
    return Response(status.value, status.phrase, headers, body)
