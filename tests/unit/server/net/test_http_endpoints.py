"""What a plain GET is answered."""

import json

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from texswarm_server import __version__
from texswarm_server.net.http_endpoints import HttpEndpoints, refuse_for_now


def _may() -> bool:
    return True


def _may_not() -> bool:
    return False


def get(path: str, *, is_ready: bool = True) -> tuple[int, dict[str, str]]:
    endpoints = HttpEndpoints(lambda: is_ready, lambda: b"a 1\n")
    response = endpoints.respond(Request(path, Headers()), may_measure=_may, address="192.0.2.7")
    assert response is not None
    assert response.headers["Content-Length"] == str(len(response.body))
    return response.status_code, json.loads(response.body)


@pytest.mark.parametrize("path", ["/healthz", "/healthz?probe=1", "/readyz", "/api/ping"])
def test_a_server_that_can_take_people_in_says_so(path: str) -> None:
    assert get(path)[0] == 200


def test_first_generation_clients_find_their_probe() -> None:
    told = {"status": "ok", "server_version": __version__, "client_address": "192.0.2.7"}
    assert get("/api/ping")[1] == told | {"protocol": 2, "oldest_protocol": 1}


def test_numbers_are_told_as_prometheus_reads_them() -> None:
    response = HttpEndpoints(lambda: True, lambda: b"a 1\n").respond(Request("/metrics", Headers()), may_measure=_may)
    assert response is not None
    assert (response.status_code, response.body) == (200, b"a 1\n")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")


def test_numbers_are_not_told_to_everybody() -> None:
    endpoints = HttpEndpoints(lambda: True, lambda: b"a 1\n")
    answers = [
        endpoints.respond(Request(path, Headers()), may_measure=_may_not) for path in ("/metrics", "/metrics?x=1")
    ]
    assert [answer and answer.status_code for answer in answers] == [403, 403]


def test_who_cannot_be_let_in_now_is_told_when_to_come_again() -> None:
    response = refuse_for_now("over_capacity", 5)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert json.loads(response.body)["code"] == "over_capacity"


def test_a_server_that_is_not_ready_is_still_alive() -> None:
    assert (get("/healthz", is_ready=False)[0], get("/readyz", is_ready=False)[0]) == (200, 503)


def test_the_websocket_goes_on_and_everything_else_is_not_there() -> None:
    assert HttpEndpoints(lambda: True, bytes).respond(Request("/ws?x=1", Headers()), may_measure=_may_not) is None
    assert get("/")[0] == get("/ws/")[0] == get("/etc/passwd")[0] == 404
