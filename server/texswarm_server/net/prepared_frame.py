"""A WebSocket frame made once and written to many connections: a server's frames are not masked."""

from functools import cached_property
from typing import Final

from websockets.frames import Frame, Opcode

from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.frames import FrameBody, decode_frame, write_varuint
from texswarm_server.protocol.ids import Handle
from texswarm_server.protocol.messages import Message

_BINARY: Final = 0x80 | Opcode.BINARY


def binary_frame(payload: bytes) -> bytes:
    """Return the bytes on the wire of a binary message."""
    size = len(payload)
    if size < 126:
        return bytes((_BINARY, size)) + payload
    return Frame(Opcode.BINARY, payload).serialize(mask=False)


def text_frame(message: Message) -> bytes:
    """Return the bytes on the wire of a JSON message."""
    return Frame(Opcode.TEXT, encode(message).encode()).serialize(mask=False)


class Traffic:
    """One binary message of a room on its way to its members; made once for each wire that somebody speaks."""

    def __init__(self, handle: Handle, payload: bytes) -> None:
        """`payload`: the message as protocol 2 carries it, the handle in front."""
        self.handle = handle
        self.frame = binary_frame(payload)
        self._payload = payload

    @cached_property
    def bare(self) -> bytes:
        """The message without the handle."""
        return self._payload[len(write_varuint(self.handle)) :]

    @cached_property
    def bare_frame(self) -> bytes:
        """The bytes on the wire of the message without the handle."""
        return binary_frame(self.bare)

    @cached_property
    def body(self) -> FrameBody:
        """What the message says."""
        return decode_frame(self._payload)[1]
