"""What a plain GET is answered."""

import json

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from texswarm_server import __version__
from texswarm_server.net.http_endpoints import HttpEndpoints


def get(path: str, *, is_ready: bool = True) -> tuple[int, dict[str, str]]:
    response = HttpEndpoints(lambda: is_ready).respond(Request(path, Headers()))
    assert response is not None
    assert response.headers["Content-Length"] == str(len(response.body))
    return response.status_code, json.loads(response.body)


@pytest.mark.parametrize("path", ["/healthz", "/healthz?probe=1", "/readyz", "/api/ping"])
def test_a_server_that_can_take_people_in_says_so(path: str) -> None:
    assert get(path)[0] == 200


def test_first_generation_clients_find_their_probe() -> None:
    assert get("/api/ping")[1] == {"status": "ok", "server_version": __version__}


def test_a_server_that_is_not_ready_is_still_alive() -> None:
    assert (get("/healthz", is_ready=False)[0], get("/readyz", is_ready=False)[0]) == (200, 503)


def test_the_websocket_goes_on_and_everything_else_is_not_there() -> None:
    assert HttpEndpoints(lambda: True).respond(Request("/ws?x=1", Headers())) is None
    assert get("/")[0] == get("/ws/")[0] == get("/etc/passwd")[0] == 404
