"""The JSON messages of protocol 1, spoken by TeXSwarm clients of the first generation.

Positions count Unicode code points. An operation is spelled `{"Insert": {…}}` or `{"type": "Insert", …}`; either way
it is read as a `TextEdit`. Times on this wire are texts in the form of RFC 3339. Whatever bytes come in, only
`RemoteProtocolError(parse_error)` comes out.
"""

from typing import Any, Final

import msgspec

from texswarm_server.protocol.codec import Codec
from texswarm_server.protocol.errors import ErrorCode, RemoteProtocolError
from texswarm_server.protocol.messages import (
    Authentication,
    CreateDocument,
    Heartbeat,
    Id,
    ListDocuments,
    Message,
    OpenDocument,
    Order,
)


class TextRange(msgspec.Struct, frozen=True):
    """From `start` up to, not including, `end`."""

    start: int
    end: int


class InsertOperation(msgspec.Struct, frozen=True, tag_field="type", tag="Insert"):
    """Put text in."""

    document_id: Id
    position: int
    content: str


class DeleteOperation(msgspec.Struct, frozen=True, tag_field="type", tag="Delete"):
    """Take text out."""

    document_id: Id
    range: TextRange


class ReplaceOperation(msgspec.Struct, frozen=True, tag_field="type", tag="Replace"):
    """Put text in place of other text."""

    document_id: Id
    range: TextRange
    content: str


Operation = InsertOperation | DeleteOperation | ReplaceOperation


class _Keyed(msgspec.Struct, frozen=True):
    """The spelling with the kind as the key; exactly one is there."""

    insert: InsertOperation | None = msgspec.field(default=None, name="Insert")
    delete: DeleteOperation | None = msgspec.field(default=None, name="Delete")
    replace: ReplaceOperation | None = msgspec.field(default=None, name="Replace")


class DocumentOperation(Order, frozen=True, kw_only=True):
    """An edit as it stands on the wire."""

    operation: msgspec.Raw


class TextEdit(Order, frozen=True, kw_only=True):
    """An edit as it is meant: `content` in place of a range of the main file, in code points."""

    document_id: str
    start: int
    end: int
    content: str


class LegacyPresence(msgspec.Struct, frozen=True, kw_only=True):
    """Who is where in the main file. Clients of the first generation put other things into the places; tolerated."""

    user_id: str = ""
    display_name: str = ""
    cursor_position: Any = None
    selection: Any = None
    is_active: bool = True
    last_activity: Any = None


class PresenceUpdate(Order, frozen=True, kw_only=True):
    """Somebody moved; in both directions."""

    document_id: Id
    presence: LegacyPresence


class DocumentUpdate(Message, frozen=True, kw_only=True):
    """The whole text of the main file; `version` names it."""

    document_id: str
    content: str
    version: str


class DocumentSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the document list."""

    id: str
    title: str
    owner: str
    updated_at: str
    active_collaborators: int


class DocumentList(Message, frozen=True, kw_only=True):
    """The documents this user may see."""

    documents: list[DocumentSummary]


LegacyOrder = Authentication | ListDocuments | CreateDocument | OpenDocument | TextEdit | PresenceUpdate | Heartbeat

LEGACY_ORDERS: Final[tuple[type[Order], ...]] = (
    Authentication,
    ListDocuments,
    CreateDocument,
    OpenDocument,
    DocumentOperation,
    PresenceUpdate,
    Heartbeat,
)
LEGACY_FACTS: Final[tuple[type[Message], ...]] = (DocumentList, DocumentUpdate, PresenceUpdate, Heartbeat)

_codec: Final[Codec[Order]] = Codec(LEGACY_ORDERS)
_tagged_decoder: Final[msgspec.json.Decoder[Operation]] = msgspec.json.Decoder(Operation)
_keyed_decoder: Final = msgspec.json.Decoder(_Keyed)


def decode_legacy(frame: str | bytes) -> LegacyOrder:
    """Return the order in a text frame; raises RemoteProtocolError(parse_error) for anything else."""
    try:
        order = _codec.decode(frame)
    except RemoteProtocolError as error:
        raise RemoteProtocolError(ErrorCode.PARSE_ERROR, error.detail) from error
    if isinstance(order, DocumentOperation):
        return _edit(_read_operation(bytes(order.operation)))
    return order  # type: ignore[return-value]  # one of LEGACY_ORDERS, which a generic codec cannot say


def _read_operation(data: bytes) -> Operation:
    try:
        keyed = _keyed_decoder.decode(data)
        found = [each for each in (keyed.insert, keyed.delete, keyed.replace) if each is not None]
        if not found:
            return _tagged_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(ErrorCode.PARSE_ERROR, f"operation: {error}") from error
    if len(found) > 1:
        raise RemoteProtocolError(ErrorCode.PARSE_ERROR, "operation: more than one")
    return found[0]


def _edit(operation: Operation) -> TextEdit:
    document_id = operation.document_id
    match operation:
        case InsertOperation(position=position, content=content):
            return TextEdit(document_id=document_id, start=position, end=position, content=content)
        case DeleteOperation(range=span):
            return TextEdit(document_id=document_id, start=span.start, end=span.end, content="")
        case ReplaceOperation(range=span, content=content):
            return TextEdit(document_id=document_id, start=span.start, end=span.end, content=content)
