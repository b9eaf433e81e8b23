"""Binary frames of protocol 2: a document handle, then one y-protocol message.

    frame       = varuint handle, message
    message     = varuint 0, sync | varuint 1, varbytes awareness | varuint 100, varuint count | varuint 101, chunk
    sync        = varuint 0, varbytes state vector       (step 1: what I have)
                | varuint 1, varbytes update             (step 2: what you lack)
                | varuint 2, varbytes update             (an edit)
    chunk       = varbytes hash, varuint size, varuint offset, varbytes data

`100` is ours, from server to client only: the first `count` update-bearing messages (step 2 and edit) that this
connection sent for this handle are stored durably. `101` is ours too, in both directions: a part of a blob, which has
32 bytes of SHA-256 and `size` bytes in all. varuint is LEB128, unsigned, as in lib0.
"""

from typing import Final

import msgspec

from texswarm_server.protocol.errors import ErrorCode, RemoteProtocolError
from texswarm_server.protocol.ids import HASH_BYTES, BlobHash, Handle

_SYNC: Final = 0
_AWARENESS: Final = 1
_ACKNOWLEDGED: Final = 100
_BLOB_CHUNK: Final = 101
_SHORT_UPDATE: Final = b"\x00\x02"
_MAX_VARUINT_BYTES: Final = 9


class SyncStep1(msgspec.Struct, frozen=True, gc=False):
    """What the sender has, as a Yjs state vector; asks for the rest."""

    state_vector: bytes


class SyncStep2(msgspec.Struct, frozen=True, gc=False):
    """What the receiver lacked, as one Yjs update."""

    update: bytes


class Update(msgspec.Struct, frozen=True, gc=False):
    """One or more edits, merged, as one Yjs update."""

    update: bytes


class Awareness(msgspec.Struct, frozen=True, gc=False):
    """A y-protocols awareness update."""

    update: bytes


class Acknowledged(msgspec.Struct, frozen=True, gc=False):
    """How many update-bearing messages of this handle on this connection are durable."""

    count: int


class BlobChunk(msgspec.Struct, frozen=True, gc=False):
    """A part of a blob: the bytes from `offset` on, of `size` bytes in all."""

    blob_hash: BlobHash
    size: int
    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """Where the next chunk begins."""
        return self.offset + len(self.data)


FrameBody = SyncStep1 | SyncStep2 | Update | Awareness | Acknowledged | BlobChunk


def write_varuint(value: int) -> bytes:
    """Return `value` (not negative) in LEB128."""
    out = bytearray()
    while value > 0x7F:
        out.append(0x80 | (value & 0x7F))
        value >>= 7
    out.append(value)
    return bytes(out)


class Reader:
    """Reads varuints and byte strings; raises RemoteProtocolError(frame_invalid) past the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def varuint(self) -> int:
        """Read one unsigned LEB128 number of at most nine bytes."""
        value = 0
        for shift in range(0, 7 * _MAX_VARUINT_BYTES, 7):
            if self._at >= len(self._data):
                raise _invalid("truncated number")
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise _invalid("number too long")

    def varbytes(self) -> bytes:
        """Read a length and that many bytes."""
        length = self.varuint()
        end = self._at + length
        if end > len(self._data):
            raise _invalid("truncated bytes")
        chunk = self._data[self._at : end]
        self._at = end
        return chunk

    def end(self) -> None:
        """Insist that nothing is left."""
        if self._at != len(self._data):
            raise _invalid("bytes after the message")


def _varbytes(data: bytes) -> bytes:
    return write_varuint(len(data)) + data


def encode_body(body: FrameBody) -> bytes:
    """Return the y-protocol message alone, as the `/yjs` wire carries it."""
    match body:
        case SyncStep1(state_vector):
            return b"\x00\x00" + _varbytes(state_vector)
        case SyncStep2(update):
            return b"\x00\x01" + _varbytes(update)
        case Update(update):
            return b"\x00\x02" + _varbytes(update)
        case Awareness(update):
            return b"\x01" + _varbytes(update)
        case Acknowledged(count):
            return bytes((_ACKNOWLEDGED,)) + write_varuint(count)
        case BlobChunk(blob_hash, size, offset, data):
            head = bytes((_BLOB_CHUNK,)) + _varbytes(bytes.fromhex(blob_hash))
            return head + write_varuint(size) + write_varuint(offset) + _varbytes(data)


def encode_frame(handle: Handle, body: FrameBody) -> bytes:
    """Return the binary frame that carries `body` for the document behind `handle`."""
    if type(body) is Update and handle < 0x80 > len(body.update):
        return bytes((handle, *_SHORT_UPDATE, len(body.update))) + body.update  # what nearly every frame is
    return write_varuint(handle) + encode_body(body)


def decode_frame(frame: bytes) -> tuple[Handle, FrameBody]:
    """Return handle and body; raises RemoteProtocolError(frame_invalid) for anything else."""
    if frame[1:3] == _SHORT_UPDATE and frame[0] < 0x80 and len(frame) > 4 and frame[3] == len(frame) - 4 < 0x80:
        return Handle(frame[0]), Update(frame[4:])  # what nearly every frame is
    reader = Reader(frame)
    handle = Handle(reader.varuint())
    kind = reader.varuint()
    body = _read_chunk(reader) if kind == _BLOB_CHUNK else _read_body(reader, kind)
    reader.end()
    return handle, body


def decode_body(message: bytes) -> FrameBody:
    """Return the y-protocol message in `message`, as the `/yjs` wire carries it.

    What stands after it is passed over, as y-protocols do, and that wire knows no blobs. Raises
    RemoteProtocolError(frame_invalid).
    """
    reader = Reader(message)
    return _read_body(reader, reader.varuint())


def _read_body(reader: Reader, kind: int) -> FrameBody:
    if kind == _SYNC:
        return _read_sync(reader)
    if kind == _AWARENESS:
        return Awareness(reader.varbytes())
    if kind == _ACKNOWLEDGED:
        return Acknowledged(reader.varuint())
    raise _invalid(f"message type {kind}")


def _read_sync(reader: Reader) -> FrameBody:
    step = reader.varuint()
    if step == 0:
        return SyncStep1(reader.varbytes())
    if step == 1:
        return SyncStep2(reader.varbytes())
    if step == 2:
        return Update(reader.varbytes())
    raise _invalid(f"sync step {step}")


def _read_chunk(reader: Reader) -> BlobChunk:
    digest = reader.varbytes()
    if len(digest) != HASH_BYTES:
        raise _invalid(f"a hash of {len(digest)} bytes")
    return BlobChunk(BlobHash(digest.hex()), reader.varuint(), reader.varuint(), reader.varbytes())


def _invalid(detail: str) -> RemoteProtocolError:
    return RemoteProtocolError(ErrorCode.FRAME_INVALID, detail)
