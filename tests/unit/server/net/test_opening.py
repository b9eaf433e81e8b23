"""Whatever is answered at a glance is what websockets would have answered; the rest is left to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.http11 import Request
from websockets.server import ServerProtocol

from texswarm_server.net.opening import read_opening

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
PLAIN = {
    "Host": "127.0.0.1:8091",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}


def asked(path: str = "/ws", start: str = "GET {} HTTP/1.1", *more: tuple[str, str], **said: str | None) -> bytes:
    """Return a request with other headers than the plain ones; None leaves one out."""
    headers = PLAIN | {name.replace("_", "-"): value for name, value in said.items()}
    lines = [f"{name}: {value}" for name, value in (*headers.items(), *more) if value is not None]
    return "\r\n".join([start.format(path), *lines, "", ""]).encode()


def by_websockets(data: bytes) -> tuple[str, list[str], str] | None:
    """Return what websockets makes of a request: path, proxies and accept header; None where it refuses it."""
    protocol = ServerProtocol()
    protocol.receive_data(data)
    requests = [event for event in protocol.events_received() if isinstance(event, Request)]
    if not requests:
        return None
    response = protocol.accept(requests[0])
    if response.status_code != 101:
        return None
    request = requests[0]
    return request.path, request.headers.get_all("X-Forwarded-For"), response.headers["Sec-WebSocket-Accept"]


def at_a_glance(data: bytes) -> tuple[str, list[str], str] | None:
    opening = read_opening(data)
    if opening is None:
        return None
    status, *lines = opening.answer.decode().split("\r\n")
    said = dict(line.split(": ") for line in lines[:-2])
    assert (status, lines[-2:]) == ("HTTP/1.1 101 Switching Protocols", ["", ""])
    assert (said["Upgrade"], said["Connection"]) == ("websocket", "Upgrade")
    return opening.path, list(opening.forwarded_for), said["Sec-WebSocket-Accept"]


def test_the_answer_is_that_of_the_standard() -> None:
    assert at_a_glance(asked()) == ("/ws", [], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")


@pytest.mark.parametrize(
    "data",
    [
        asked(),
        asked("/yjs/0a1b?token=x%20y"),
        asked(User_Agent="Python/3.11 websockets/17.4", Sec_WebSocket_Extensions="permessage-deflate"),
        asked(Connection="keep-alive, Upgrade", Origin="https://example.org", Accept_Language="de,en;q=0.5"),
        asked(Connection="upgrade", Upgrade="WebSocket"),
        asked(Connection="a, upgrade ,b"),
        asked("/ws", "GET {} HTTP/1.1", ("X-Forwarded-For", "192.0.2.1, 192.0.2.2"), ("X-Forwarded-For", "192.0.2.3")),
    ],
    ids=["plain", "query", "desktop", "browser", "small letters", "options", "proxies"],
)
def test_what_nearly_every_client_sends_is_understood_at_a_glance(data: bytes) -> None:
    assert at_a_glance(data) == by_websockets(data) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        asked()[:-1],
        asked() + b"\x81\x00",
        asked("/ws", "POST {} HTTP/1.1"),
        asked("/ws", "GET {} HTTP/1.0"),
        asked("/w s"),
        asked("/é"),
        asked(Upgrade=None),
        asked(Upgrade="h2c"),
        asked(Connection="close"),
        asked(Connection="keep:alive, Upgrade"),
        asked(Connection="Upgrade,"),
        asked(Sec_WebSocket_Key=None),
        asked(Sec_WebSocket_Key="dGhlIHNhbXBsZQ=="),
        asked(Sec_WebSocket_Key=KEY[:-3] + "F=="),
        asked(Sec_WebSocket_Version="12"),
        asked("/ws", "GET {} HTTP/1.1", ("sec-websocket-key", KEY)),
        asked("/ws", "GET {} HTTP/1.1", ("Cookie", "a"), ("Cookie", "a")),
        asked(Content_Length="0"),
        asked(Transfer_Encoding="chunked"),
        asked().replace(b"\r\n", b"\n"),
        asked(X_Long="x" * 4096),
    ],
)
def test_everything_else_is_left_to_websockets(data: bytes) -> None:
    assert read_opening(data) is None


_NAMES = st.sampled_from([*PLAIN, "sec-websocket-key", "X-Forwarded-For", "Content-Length", "Origin", "A b", "é", ""])
_VALUES = st.sampled_from(
    ["websocket", "Upgrade", "a, upgrade ,b", KEY, "13", "0", "", "\x00", "x\ty", "ä", "a\r\nb: c"]
)


@given(
    st.dictionaries(st.sampled_from(list(PLAIN)), st.none() | _VALUES, max_size=2),
    st.lists(st.tuples(_NAMES, _VALUES), max_size=3),
    st.sampled_from(["/ws", "/", "*", "", "/a b", "/\x7f"]),
    st.sampled_from(["GET {} HTTP/1.1", "GET {} HTTP/1.1 ", "get {} HTTP/1.1", "GET  {} HTTP/1.1", "GET {} HTTP/2"]),
)
def test_nothing_is_accepted_that_websockets_refuses(said, more, path, start) -> None:  # type: ignore[no-untyped-def]
    data = asked(path, start, *more, **{name.replace("-", "_"): value for name, value in said.items()})
    found = at_a_glance(data)
    assert found is None or found == by_websockets(data)
