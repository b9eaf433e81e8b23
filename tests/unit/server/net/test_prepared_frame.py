"""A frame made once is the frame that websockets would have made."""

import pytest
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from texswarm_server.net.prepared_frame import binary_frame, text_frame
from texswarm_server.protocol.codec import encode
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
