"""A WebSocket frame made once and written to many connections: a server's frames are not masked."""

from websockets.frames import Frame, Opcode

from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.messages import Message


def binary_frame(payload: bytes) -> bytes:
    """Return the bytes on the wire of a binary message."""
    return Frame(Opcode.BINARY, payload).serialize(mask=False)


def text_frame(message: Message) -> bytes:
    """Return the bytes on the wire of a JSON message."""
    return Frame(Opcode.TEXT, encode(message).encode()).serialize(mask=False)
