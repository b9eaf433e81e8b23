"""Everything in the project that reads what a stranger wrote, with samples of what it should read.

Whatever bytes come in, only the errors that a decoder's docstring names may come out.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pycrdt

from texswarm_desktop.client.link import LinkClosedError
from texswarm_server.cli.config_file import read_config_file
from texswarm_server.cli.settings import choose
from texswarm_server.cli.values import read_days, read_list, read_port, read_size, read_time
from texswarm_server.document import ProjectDocument
from texswarm_server.document.presence import Presence, PresenceEntry, decode_presence, encode_presence
from texswarm_server.document.project_document import (
    EMPTY_STATE,
    check_update,
    compact,
    merge_updates,
    read_state_vector,
)
from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.net.client_address import ClientAddresses
from texswarm_server.net.yjs_peer import _read_path
from texswarm_server.protocol.codec import encode, fact_codec, order_codec
from texswarm_server.protocol.errors import (
    DamagedDocumentError,
    MalformedUpdateError,
    RejectedError,
    RemoteProtocolError,
    SettingsError,
)
from texswarm_server.protocol.frames import (
    Acknowledged,
    Awareness,
    SyncStep1,
    SyncStep2,
    Update,
    decode_body,
    decode_frame,
    encode_body,
    encode_frame,
)
from texswarm_server.protocol.ids import Handle, Lineage, UserId
from texswarm_server.protocol.invite_link import parse_invite_link
from texswarm_server.protocol.legacy import decode_legacy
from texswarm_server.protocol.messages import (
    FACTS,
    ORDERS,
    Authentication,
    AuthenticationResult,
    CloseDocument,
    CreateInvite,
    DocumentInfo,
    DocumentList,
    DocumentOpened,
    Error,
    Heartbeat,
    OpenDocument,
    Participant,
    Participants,
    RoleChanged,
    TokenRenewed,
)
from texswarm_server.protocol.version import Limits
from texswarm_server.sessions.access_tokens import AccessTokens
from texswarm_server.sessions.credentials import hash_token, token_kind

ID: Final = "11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True)
class Decoder:
    """`share`: how much of the cases it gets, against the others."""

    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    samples: tuple[bytes, ...]
    share: int = 10


def decoders(folder: Path) -> dict[str, Decoder]:
    """Return every decoder by name. `folder`: where a configuration file may be written."""
    remote = (RemoteProtocolError,)
    updates = _updates()
    return {
        "orders": Decoder(order_codec.decode, remote, _orders()),
        "orders_as_text": Decoder(_as_text(order_codec.decode), remote, _orders()),
        "facts": Decoder(fact_codec.decode, remote, _facts()),
        "facts_as_text": Decoder(_as_text(fact_codec.decode), remote, _facts()),
        "first_generation": Decoder(_as_text(decode_legacy), remote, _legacy_orders()),
        "frames": Decoder(decode_frame, remote, _frames(updates), 20),
        "bodies": Decoder(decode_body, remote, tuple(frame[1:] for frame in _frames(updates)), 20),
        "presence": Decoder(_take_presence, remote, _presences(), 15),
        "state_vectors": Decoder(read_state_vector, remote, _vectors(), 15),
        "updates": Decoder(check_update, (MalformedUpdateError,), updates, 15),
        "merges": Decoder(lambda data: merge_updates([updates[0], data]), (MalformedUpdateError,), updates, 5),
        "applied_updates": Decoder(_apply, (MalformedUpdateError, DamagedDocumentError), updates, 5),
        "stored_updates": Decoder(_compact(updates[0]), (MalformedUpdateError, DamagedDocumentError), updates, 3),
        "asked_vectors": Decoder(_ask(updates[0]), (MalformedUpdateError,), _vectors(), 5),
        "links": Decoder(_as_text(parse_invite_link), (SettingsError,), _links(), 5),
        "tokens": Decoder(_as_text(_verify()), (RejectedError,), _tokens(), 4),
        "yjs_paths": Decoder(lambda data: _read_path("/yjs/" + data.decode("latin-1")), (), _paths(), 5),
        "proxies": Decoder(_find_address, (), (b"1.2.3.4, 10.0.0.1", b"[::1]:80,::ffff:10.0.0.2, fe80::1%eth0"), 5),
        "settings": Decoder(
            _as_text(_read_values), (ValueError,), (b"30m", b"1.5h", b"256M", b"8091", b"a, b", b"90"), 3
        ),
        "configuration": Decoder(_read_configuration(folder / "server.toml"), (SettingsError,), _toml(), 1),
        "close_reasons": Decoder(_as_text(lambda text: str(LinkClosedError(4409, text))), (), (b"gone",), 1),
    }


# ── what is called ──────────────────────────────────────────────────────────────────────────────────────────


def _as_text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "surrogateescape" if len(data) % 2 else "replace"))


def _take_presence(data: bytes) -> None:
    presence = Presence()
    presence.apply(decode_presence(data))
    encode_presence(presence.entries())


def _apply(data: bytes) -> None:
    check_update(data)
    document = SharedDocument()
    document.apply(data)
    document.contains(data)
    _ = document.title, document.lineage


def _compact(first: bytes) -> Callable[[bytes], object]:
    return lambda data: compact([first, data])


def _ask(update: bytes) -> Callable[[bytes], object]:
    document = SharedDocument()
    document.apply(update)
    return document.update_since


def _access_tokens() -> AccessTokens:
    return AccessTokens({"k1": b"0" * 32}, "k1", ttl_s=60.0, random=lambda count: b"r" * count)


def _verify() -> Callable[[str], object]:
    tokens = _access_tokens()

    def verify(token: str) -> object:
        token_kind(token)
        hash_token(token)
        return tokens.verify(token, 1_700_000_000.0)

    return verify


def _find_address(data: bytes) -> None:
    addresses = ClientAddresses(["10.0.0.0/8", "::1"])
    addresses.find(("10.0.0.9", 1234), data.decode("latin-1").split("\n"))


def _read_values(text: str) -> None:
    for read in (read_time, read_size, read_port, read_days):
        try:
            read(text)
        except ValueError:
            continue
    read_list(text)


def _read_configuration(path: Path) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        path.write_bytes(data)
        return choose({}, {}, read_config_file(path))

    return read


# ── samples ─────────────────────────────────────────────────────────────────────────────────────────────────


def _orders() -> tuple[bytes, ...]:
    who = {"user_id": ID, "display_name": "Ada é😀", "session_id": ID}
    orders = (
        Authentication(protocol=2, token="txi_x", request=1, **who),
        OpenDocument(document_id=ID, lineage=ID, request=7),
        CreateInvite(document_id=ID, role="viewer", ttl_s=3.5, uses=2),
        CloseDocument(handle=-3),
        Heartbeat(timestamp=1.5),
    )
    bare = tuple(f'{{"type":"{kind.__name__}"}}'.encode() for kind in ORDERS)
    return (*(encode(order).encode() for order in orders), *bare, b'{"type":"SignOut","payload":null}')


def _facts() -> tuple[bytes, ...]:
    info = DocumentInfo(
        id=ID, title="Paper", owner=ID, updated_at=1.5, active_collaborators=2, role="owner", lineage=ID
    )
    ada = Participant(
        participant_id="p", user_id=ID, display_name="Ada", color="#112233", role="editor", state="reconnecting"
    )
    return tuple(
        encode(fact).encode()
        for fact in (
            AuthenticationResult(ok=True, user_id=ID, session_id=ID, access_token="a.b.c", limits=Limits()),
            AuthenticationResult(ok=False, code="throttled", message="no", retryable=True, retry_after_s=2.0),
            DocumentList(documents=[info]),
            DocumentOpened(document_id=ID, handle=3, role="viewer", lineage=ID, title="é"),
            Participants(handle=3, participants=[ada]),
            RoleChanged(handle=3, role="viewer"),
            TokenRenewed(access_token="a.b.c", expires_at=1.7e9),
            Error(code="forbidden", message="viewers do not edit", handle=3),
        )
    ) + tuple(f'{{"type":"{kind.__name__}","payload":{{}}}}'.encode() for kind in FACTS)


def _legacy_orders() -> tuple[bytes, ...]:
    span: dict[str, Any] = {"document_id": ID, "range": {"start": 1, "end": 4}}
    operations: list[dict[str, Any]] = [
        {"Insert": {"document_id": ID, "position": 3, "content": "é😀"}},
        {"type": "Insert", "document_id": ID, "position": 3, "content": "x"},
        {"Delete": span},
        {"type": "Replace", **span, "content": "y"},
    ]
    presence = {"user_id": "u", "display_name": "U", "cursor_position": 3, "selection": None, "is_active": True}
    messages: list[tuple[str, object]] = [
        ("Authentication", {"user_id": "u", "token": None}),
        ("ListDocuments", None),
        ("CreateDocument", {"title": "t", "repository_url": None}),
        ("OpenDocument", {"document_id": ID}),
        ("PresenceUpdate", {"document_id": ID, "presence": presence | {"last_activity": "now"}}),
        *[("DocumentOperation", {"operation": operation}) for operation in operations],
    ]
    return tuple(json.dumps({"type": kind, "payload": payload}).encode() for kind, payload in messages)


def _updates() -> tuple[bytes, ...]:
    """Return what people type: text, deletions, files, a map, things that wait for their predecessors."""
    document, updates = ProjectDocument(client_id=77), list[bytes]()
    document.on_update = lambda update, is_local: updates.append(update)
    document.initialise("Paper", Lineage(ID))
    file_id = document.add_file("main.tex", "one two é😀")
    text = document.text(file_id)
    text.replace_u16(3, 4, "three")
    text.replace_u16(0, 5, "")
    document.rename_file(file_id, "b.tex")
    array: pycrdt.Doc[Any] = pycrdt.Doc(client_id=78)
    array["list"] = pycrdt.Array([1, 2.5, None, True, "x", {"k": [b"bytes"]}])
    return (document.update_since(EMPTY_STATE), *updates, array.get_update(), b"\x00\x00")


def _vectors() -> tuple[bytes, ...]:
    document = ProjectDocument(client_id=77)
    document.add_file("main.tex", "text")
    return (document.state_vector(), EMPTY_STATE, b"\x02\x01\x05\xff\xff\xff\xff\x0f\x07")


def _frames(updates: tuple[bytes, ...]) -> tuple[bytes, ...]:
    bodies = (
        SyncStep1(b"\x00"),
        SyncStep2(updates[0]),
        Update(updates[1]),
        Awareness(_presences()[0]),
        Acknowledged(300),
    )
    assert all(decode_body(encode_body(body)) == body for body in bodies)
    return tuple(encode_frame(Handle(3), body) for body in bodies)


def _presences() -> tuple[bytes, ...]:
    state = {"user": {"name": "é😀", "color": "#123456"}, "file": ID, "caret": {"anchor": 1, "head": 4}}
    return (
        encode_presence([PresenceEntry(77, 1, state), PresenceEntry(2**40, 2**31, None)]),
        encode_presence([PresenceEntry(1, 1, {})]),
        encode_presence([]),
    )


def _links() -> tuple[bytes, ...]:
    return (
        b"texswarm://192.168.1.2:8091/?token=txi_abc&document=" + ID.encode() + b"&tls=1&fp=00ff",
        b"wss://[fe80::1]:443/prefix/ws?token=x", b"http://host.local", b"host:99", b"[::1]:8091",
    )  # fmt: skip


def _tokens() -> tuple[bytes, ...]:
    good, _expires_at = _access_tokens().issue(UserId(ID), "grant", 1_700_000_000.0)
    return (good.encode(), b"txi_" + b"a" * 32, b"txr_" + b"b" * 32, b"a.b.c", b"e30.e30.")


def _paths() -> tuple[bytes, ...]:
    return (ID.encode() + b"?token=txi_abc", b"%2e%2e/x?token=%ff&token=", b"//host/x#y", b"[::1]?a=b;c")


def _toml() -> tuple[bytes, ...]:
    return (
        b'port = 8091\nhost = "::1"\naccess_ttl = "30m"\n',
        b'[limits]\nmax_frame_bytes = "64M"\n',
        b"a = [1, 2,\n 3]\nb = 1979-05-27T07:32:00Z\n",
    )
