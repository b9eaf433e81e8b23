"""Text frames: `{"type": …, "payload": {…}}` to and from message classes, strictly typed.

Whatever bytes come in, only `RemoteProtocolError` comes out, with one of the codes `parse_error`,
`unknown_message` and `invalid_payload`.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

import msgspec

from texswarm_server.protocol.errors import ErrorCode, RemoteProtocolError
from texswarm_server.protocol.messages import FACTS, ORDERS, Fact, Message, Order

M = TypeVar("M", bound=Message)


class _Envelope(msgspec.Struct):
    type: str
    payload: msgspec.Raw = msgspec.Raw(b"{}")


_encoder = msgspec.json.Encoder()
_envelope_decoder = msgspec.json.Decoder(_Envelope)
_EMPTY_PAYLOADS = frozenset({b"", b"null", b"{}"})


def encode(message: Message) -> str:
    """Return the text frame for `message`."""
    payload = _encoder.encode(message)
    return f'{{"type":"{type(message).__name__}","payload":{payload.decode()}}}'


class Codec(Generic[M]):
    """Decodes the messages of one direction."""

    def __init__(self, kinds: Iterable[type[M]]) -> None:
        self._decoders = {kind.__name__: msgspec.json.Decoder(kind) for kind in kinds}

    def decode(self, frame: str | bytes) -> M:
        """Return the message in `frame`; raises RemoteProtocolError for anything else."""
        envelope = self._open(frame)
        decoder = self._decoders.get(envelope.type)
        if decoder is None:
            raise RemoteProtocolError(ErrorCode.UNKNOWN_MESSAGE, envelope.type[:64])
        payload = bytes(envelope.payload)
        try:
            return decoder.decode(b"{}" if payload in _EMPTY_PAYLOADS else payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RemoteProtocolError(ErrorCode.INVALID_PAYLOAD, f"{envelope.type}: {error}") from error

    @staticmethod
    def _open(frame: str | bytes) -> _Envelope:
        try:
            return _envelope_decoder.decode(frame)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise RemoteProtocolError(ErrorCode.PARSE_ERROR, str(error)) from error


order_codec: Codec[Order] = Codec(ORDERS)
fact_codec: Codec[Fact | Order] = Codec(FACTS)  # type: ignore[arg-type]  # FACTS holds Facts and Heartbeat
