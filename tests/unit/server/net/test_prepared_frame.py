"""A frame made once is the frame that websockets would have made."""

import pytest
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from texswarm_server.net.prepared_frame import Traffic, binary_frame, text_frame
from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.frames import Update, encode_body, encode_frame
from texswarm_server.protocol.ids import Handle
from texswarm_server.protocol.messages import Heartbeat


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_a_binary_frame_is_that_of_the_library(size: int) -> None:
    protocol = ServerProtocol(state=OPEN)
    protocol.send_binary(b"x" * size)

    assert binary_frame(b"x" * size) == b"".join(protocol.data_to_send())


def test_a_text_frame_is_that_of_the_library() -> None:
    protocol, message = ServerProtocol(state=OPEN), Heartbeat(timestamp="é")
    protocol.send_text(encode(message).encode())

    assert text_frame(message) == b"".join(protocol.data_to_send())


def test_traffic_is_made_for_each_wire() -> None:
    handle, body = Handle(300), Update(b"\x00\x00")
    traffic = Traffic(handle, encode_frame(handle, body))
    assert traffic.body == body
    assert traffic.bare == encode_body(body)
    assert traffic.frame == binary_frame(encode_frame(handle, body))
    assert traffic.bare_frame == binary_frame(encode_body(body))
