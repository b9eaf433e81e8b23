"""Everything in the project that reads what a stranger wrote, with samples of what it should read.

Whatever bytes come in, only the errors that a decoder's docstring names may come out.
"""

import datetime as dt
import io
import json
import sqlite3
import struct
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from zipfile import ZipFile

import msgspec
import pycrdt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from tests.fault.fuzzing.full_messages import full_message
from texswarm_desktop.client.check_up import http_fact
from texswarm_desktop.client.link import LinkClosedError
from texswarm_desktop.core.git_index import SHA1_BYTES, read_index
from texswarm_desktop.core.git_split_index import joined, read_link
from texswarm_desktop.core.ignore_rules import Sharing, decode_sharing, encode_sharing
from texswarm_desktop.core.join_entry import read_join_entry
from texswarm_desktop.core.latex_mask import read_source
from texswarm_desktop.core.project_files import OWN_FOLDER
from texswarm_desktop.core.settings import Settings, decode_settings, encode_settings
from texswarm_desktop.core.text_bytes import decode_text, encode_text
from texswarm_desktop.core.zip_directory import find_directory, read_directory
from texswarm_desktop.services.project_identity import read_identity
from texswarm_server.cli.config_file import read_config_file
from texswarm_server.cli.diagnosis.x509 import read_certificate
from texswarm_server.cli.settings import choose
from texswarm_server.cli.values import read_count, read_days, read_list, read_port, read_size, read_switch, read_time
from texswarm_server.document import ProjectDocument
from texswarm_server.document.gaps import has_hole, is_filling, without_holes
from texswarm_server.document.presence import Presence, PresenceEntry, decode_presence, encode_presence
from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.document.updates import EMPTY_STATE, check_update, compact, merge_updates, read_state_vector
from texswarm_server.net.client_address import FORWARDED_FOR, ClientAddresses
from texswarm_server.net.frame_splitter import FrameSplitter
from texswarm_server.net.opening import read_opening
from texswarm_server.net.yjs_peer import _read_path
from texswarm_server.pairing.channel import channel_of
from texswarm_server.pairing.exchange import MESSAGE_BYTES, GuestExchange, HostExchange
from texswarm_server.pairing.join_code import JoinCode, WrongCodeError, read_join_code, unknown_words
from texswarm_server.pairing.messages import GUEST_SAYS, HOST_SAYS, guest_codec, host_codec
from texswarm_server.protocol.announcement import Announcement, read_announcement
from texswarm_server.protocol.certificates import is_shown_by, key_fingerprint
from texswarm_server.protocol.codec import encode, fact_codec, order_codec
from texswarm_server.protocol.errors import (
    ArchiveError,
    CorruptSnapshotError,
    DamagedDocumentError,
    MalformedUpdateError,
    RejectedError,
    RemoteProtocolError,
    SettingsError,
)
from texswarm_server.protocol.frames import (
    Acknowledged,
    Awareness,
    BlobChunk,
    SyncStep1,
    SyncStep2,
    Update,
    decode_body,
    decode_frame,
    encode_body,
    encode_frame,
)
from texswarm_server.protocol.ids import BlobHash, Handle, Lineage, UserId
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
    ParticipantsChanged,
    RoleChanged,
    TokenRenewed,
)
from texswarm_server.protocol.version import Limits
from texswarm_server.sessions.access_tokens import AccessTokens
from texswarm_server.sessions.credentials import hash_token, token_kind
from texswarm_server.storage.damage import Layout, SchemaRow, read_layout
from texswarm_server.storage.keyed_pages import keyed_rows
from texswarm_server.storage.leaf_pages import (
    MalformedPageError,
    Pages,
    leaf_rows,
    read_columns,
    read_record,
    read_types,
    read_varint,
)
from texswarm_server.storage.packing import pack, unpack
from texswarm_server.storage.write_ahead_log import mend_log, wal_path

_LARGEST_FRAME_BYTES: Final = 400
ID: Final = "11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True)
class Decoder:
    """`share`: how much of the cases it gets, against the others. `cases_in_ci`: fewer where one takes long."""

    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    samples: tuple[bytes, ...]
    share: int = 10
    cases_in_ci: int = 2_000


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
        "guests": Decoder(guest_codec.decode, remote, tuple(map(full_message, GUEST_SAYS)), 5),
        "hosts": Decoder(host_codec.decode, remote, tuple(map(full_message, HOST_SAYS)), 5),
        "openings": Decoder(_answer, (RemoteProtocolError, WrongCodeError), _openings(), 1, cases_in_ci=200),
        "frames": Decoder(decode_frame, remote, (*_frames(updates), _chunk()), 20),
        "bodies": Decoder(decode_body, remote, tuple(frame[1:] for frame in _frames(updates)), 20),
        "presence": Decoder(_take_presence, remote, _presences(), 15),
        "state_vectors": Decoder(read_state_vector, remote, _vectors(), 15),
        "updates": Decoder(check_update, (MalformedUpdateError,), updates, 15),
        "merges": Decoder(lambda data: merge_updates([updates[0], data]), (MalformedUpdateError,), updates, 5),
        "applied_updates": Decoder(_apply, (MalformedUpdateError, DamagedDocumentError), updates, 5),
        "stored_updates": Decoder(_compact(updates[0]), (MalformedUpdateError, DamagedDocumentError), updates, 3),
        "asked_vectors": Decoder(_ask(updates[0]), (MalformedUpdateError,), _vectors(), 5),
        "holes": Decoder(_look_for_holes(updates[0]), (MalformedUpdateError, DamagedDocumentError), updates, 4),
        "late_updates": Decoder(_apply_beside_waiting, (MalformedUpdateError, DamagedDocumentError), updates, 3),
        "former_states": Decoder(_unpack, (CorruptSnapshotError,), tuple(pack(update) for update in updates), 2),
        "announcements": Decoder(_read_announcement, remote, _announcements(), 4),
        "certificates": Decoder(read_certificate, (ValueError,), _certificates(), 4),
        "shown_certificates": Decoder(_compare_certificate, (ValueError,), _certificates(), 2),
        "git_index": Decoder(_read_index, (), _indices(), 2),
        "git_index_parts": Decoder(_read_parts, (struct.error,), _parts(), 2),
        "archives": Decoder(_read_archive, (ArchiveError,), _archives(), 4),
        "files": Decoder(_read_text, (), (b"\xef\xbb\xbfone\r\ntwo", b"caf\xe9\n", "é😀\r".encode()), 2),
        "desktop_settings": Decoder(decode_settings, (SettingsError,), (encode_settings(Settings()), b"{}"), 2),
        "sharing": Decoder(decode_sharing, (ValueError,), (encode_sharing(Sharing()), b'{"share":["a/*"]}'), 2),
        "record_numbers": Decoder(_read_number, (MalformedPageError,), (b"\x05", b"\x81\x00", b"\xff" * 9), 1),
        "records": Decoder(
            _read_record, (MalformedPageError,), (b"\x04\x00\x13\x01abc\x07", b"\x03\x07\x10" + bytes(10)), 1
        ),
        "cells": Decoder(
            _read_cell, (MalformedPageError,), (b"\x08\x04\x00\x13\x01abc\x07", b"\x0d\x03\x07\x10" + bytes(10)), 1
        ),
        "pages": Decoder(_read_pages, (MalformedPageError,), _databases(), 5, cases_in_ci=500),
        "keyed_pages": Decoder(_read_keyed_pages, (MalformedPageError,), _keyed_databases(), 5, cases_in_ci=500),
        "change_logs": Decoder(_mend_log(folder / "texswarm.db"), (), _change_logs(), 2, cases_in_ci=300),
        "trees": Decoder(_read_tree, (ValueError,), _trees(), 2, cases_in_ci=500),
        "layouts": Decoder(_read_layout(folder / "texswarm.db"), (), (_layout(), b"{}"), 1),
        "identities": Decoder(_read_identity(folder), (), (b'{"document_id":"x","lineage":null}', b"{}"), 1),
        "join_codes": Decoder(_as_text(_read_join_code), (), (b"42-acid-zebra", b"42 acid, zebra", b"host:9 1-a-b"), 2),
        "sources": Decoder(_as_text(read_source), (), (rb"\documentclass{x}% a" + b"\n" + rb"\end{document} b",), 2),
        "web_pages": Decoder(http_fact, (), _answers(), 4),
        "links": Decoder(_as_text(parse_invite_link), (SettingsError,), _links(), 5),
        "tokens": Decoder(_as_text(_verify()), (RejectedError,), _tokens(), 4),
        "yjs_paths": Decoder(lambda data: _read_path("/yjs/" + data.decode("latin-1")), (), _paths(), 5),
        "proxies": Decoder(_find_address, (), (b"1.2.3.4, 10.0.0.1", b"[::1]:80,::ffff:10.0.0.2, fe80::1%eth0"), 5),
        "wire": Decoder(_split_frames, (), _wire(), 10),
        "requests": Decoder(_open_connection, (), _requests(), 5),
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
    """What cannot be read changes nothing, so that nobody need look at an update before it is taken in."""
    document = SharedDocument()
    try:
        document.apply(data)
    except MalformedUpdateError:
        assert document.state_vector == EMPTY_STATE
        document.apply(_updates()[0])
        raise
    except DamagedDocumentError as damaged:
        try:
            check_update(data)
        except MalformedUpdateError:
            raise AssertionError("what cannot be read has damaged a document") from damaged
        raise
    document.contains(data)
    _ = document.title, document.lineage


def _look_for_holes(first: bytes) -> Callable[[bytes], object]:
    def look(data: bytes) -> None:
        check_update(data)
        for vector in (EMPTY_STATE, SharedDocument([first]).state_vector):
            has_hole(data, vector)
            is_filling(data, first, vector)
        without_holes(data)

    return look


def _apply_beside_waiting(data: bytes) -> None:
    """Give a document with a hole something that may fill it, or be behind it as well."""
    updates = _updates()
    check_update(data)
    document = SharedDocument([updates[1], *updates[3:5]])
    document.apply(data)
    document.contains(data)
    document.update_since()


def _read_number(data: bytes) -> None:
    read_varint(data, 0)


def _read_record(data: bytes) -> None:
    types, begin = read_types(data)
    read_columns(types, data[begin:])


def _read_cell(data: bytes) -> None:
    """Read a row that begins on this page of a whole database, and may go on over its others."""
    pages = Pages(io.BytesIO(_databases()[1]))
    size, at = read_varint(data, 0)
    read_record(data, at, size, pages, lambda _types: True, most=pages.usable - 35)


def _read_pages(data: bytes) -> None:
    """Read the rows of a broken database; however its rows point at each other, that comes to an end."""
    rows = list(leaf_rows(io.BytesIO(data), lambda _types: True))
    assert sum(len(value) for _number, row in rows for value in row if isinstance(value, bytes)) <= 8 * len(data)


def _read_keyed_pages(data: bytes) -> None:
    """Walk a broken tree; no page is read twice as a part of it."""
    assert len(list(keyed_rows(io.BytesIO(data), 2, lambda _types: True))) <= len(data)


def _mend_log(path: Path) -> Callable[[bytes], object]:
    def mend(data: bytes) -> None:
        wal_path(path).write_bytes(data)
        mend_log(path)
        assert len(wal_path(path).read_bytes()) <= max(len(data), 32)

    return mend


def _read_tree(data: bytes) -> None:
    """Take what a stranger may have said of files: their kinds, contents, spellings and paths may be anything."""
    # Neither half a character nor a number of more than 64 bits ever gets into a document.
    entries = {} if b"\\u" in data else json.loads(data.decode(), parse_int=lambda digits: int(digits[:18]))
    theirs: pycrdt.Doc[Any] = pycrdt.Doc()
    files = theirs.get("files", type=pycrdt.Map)
    for key, value in entries.items() if isinstance(entries, dict) else ():
        files[key] = pycrdt.Map(value) if isinstance(value, dict) else value
    document = ProjectDocument()
    document.apply(theirs.get_update())
    for file_id, entry in document.files.items():
        assert (file_id in document.blob_files) is (entry.blob is not None)
    assert set(document.lost_blobs) <= set(document.blob_files)


def _unpack(data: bytes) -> None:
    unpack(zlib.crc32(data), data, "a version")


def _read_announcement(data: bytes) -> None:
    pairs = [entry.partition(b"=") for entry in data.split(b"\n")]
    read_announcement({key: value if equals else None for key, equals, value in pairs})


def _compare_certificate(data: bytes) -> None:
    is_shown_by(data, "00" * 32)
    key_fingerprint(data)


def _exchanges() -> tuple[GuestExchange, HostExchange]:
    """Return both sides of one pairing, whose chance is always the same."""
    code, channel = JoinCode("417", ("otter", "maple")), channel_of(None)
    return GuestExchange(code, channel, bytes), HostExchange(code, channel, bytes)


def _answer(data: bytes) -> None:
    """As a host take a stranger's opening and what should be a proof, as a guest what should be an answer."""
    guest, host = _exchanges()
    if data[:1] == b"A":
        host.answer(data[:MESSAGE_BYTES])
        host.check(data[MESSAGE_BYTES:])
    else:
        guest.prove(data)


def _read_join_code(text: str) -> None:
    code = read_join_code(text)
    if code is not None:
        unknown_words(code)
    read_join_entry(text)


def _read_index(data: bytes) -> None:
    read_index(data, shared=lambda _name: data)


def _read_parts(data: bytes) -> None:
    link = read_link(data, 0, SHA1_BYTES)
    assert link is None or len(joined(link, [(b"main.tex", 1)] * 9, [])) <= 9


def _read_archive(data: bytes) -> None:
    directory = find_directory(data[-1000:], len(data))
    list(read_directory(data[directory.offset :][: directory.size], directory))


def _read_text(data: bytes) -> None:
    decoded = decode_text(data)
    assert decoded is None or encode_text(decoded.text, decoded.format) == data


def _read_layout(path: Path) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        path.with_name("texswarm.layout.json").write_bytes(data)
        return read_layout(path)

    return read


def _read_identity(folder: Path) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        (folder / OWN_FOLDER).mkdir(exist_ok=True)
        (folder / OWN_FOLDER / "project.json").write_bytes(data)
        return read_identity(folder)

    return read


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


def _open_connection(data: bytes) -> None:
    """What is accepted at a glance is accepted by websockets too, and understood in the same way."""
    opening = read_opening(data)
    if opening is None:
        return
    protocol = ServerProtocol()
    protocol.receive_data(data)
    (request,) = protocol.events_received()
    assert isinstance(request, Request)
    assert protocol.accept(request).status_code == 101
    assert (request.path, tuple(request.headers.get_all(FORWARDED_FOR))) == (opening.path, opening.forwarded_for)


def _split_frames(data: bytes) -> None:
    """Wherever the bytes are cut the same messages come out, and websockets reads the same in them."""
    cut = zlib.crc32(data) % (len(data) + 1)
    whole, pieces = _split(data), _split(data[:cut], data[cut:])
    assert [payload for _frame, payload in pieces if payload is not None] == _messages(whole)
    passed_on = b"".join(frame for frame, _payload in whole)
    assert data.startswith(passed_on)
    assert passed_on.startswith(b"".join(frame for frame, _payload in pieces))


def _split(*chunks: bytes) -> list[tuple[bytes, bytes | None]]:
    splitter = FrameSplitter()
    return [piece for chunk in chunks for piece in splitter.split(chunk, _LARGEST_FRAME_BYTES)]


def _messages(pieces: list[tuple[bytes, bytes | None]]) -> list[bytes]:
    """Return the payloads of the whole messages among the frames, which are what websockets takes them for."""
    found = []
    for frame, payload in pieces:
        if payload is not None:
            protocol = ServerProtocol(state=State.OPEN)
            protocol.receive_data(frame)
            (read,) = protocol.events_received()
            assert isinstance(read, Frame)
            assert (read.opcode in {Opcode.TEXT, Opcode.BINARY}, read.fin, read.data) == (True, True, payload)
            found.append(payload)
    return found


def _read_values(text: str) -> None:
    for read in (read_time, read_size, read_port, read_days, read_count, read_switch):
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


def _requests() -> tuple[bytes, ...]:
    usual = (
        b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    )
    more = (b"", b"X-Forwarded-For: 192.0.2.1\r\n", b"Content-Length: 0\r\n", b"Upgrade: websocket\r\n")
    return tuple(usual + each + b"\r\n" for each in more)


def _wire() -> tuple[bytes, ...]:
    """Return what clients send in frames: messages of every form of length, in parts, and what is no message."""
    binary, text, ping, first, last = 0x82, 0x81, 0x89, 0x01, 0x80
    kinds = (
        ((binary, 0), (text, 5), (ping, 3), (binary, 125)),
        ((binary, 126), (text, 300), (binary, 1)),
        ((first, 4), (ping, 0), (last, 9), (text, 7)),
        ((binary, _LARGEST_FRAME_BYTES), (binary, _LARGEST_FRAME_BYTES + 1), (text, 1)),
    )
    return tuple(
        b"".join(_masked(lead, b"payload " * (size // 8) + b"x" * (size % 8)) for lead, size in each) for each in kinds
    )


def _masked(lead: int, payload: bytes) -> bytes:
    size, mask = len(payload), b"\x12\x34\x56\x78"
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([lead]) + length + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def _orders() -> tuple[bytes, ...]:
    who = {"user_id": ID, "display_name": "Ada é😀", "session_id": ID}
    orders = (
        Authentication(protocol=2, token="txi_x", request=1, **who),
        Authentication(protocol=2, token="a.b.c", open=(OpenDocument(document_id=ID, state_vector=b"\x00"),)),
        OpenDocument(document_id=ID, lineage=ID, request=7),
        CreateInvite(document_id=ID, role="viewer", ttl_s=3.5, uses=2),
        CloseDocument(handle=-3),
        Heartbeat(timestamp=1.5),
    )
    bare = tuple(f'{{"type":"{kind.__name__}"}}'.encode() for kind in ORDERS)
    whole = tuple(map(full_message, ORDERS))
    return (*(encode(order).encode() for order in orders), *bare, *whole, b'{"type":"SignOut","payload":null}')


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
            ParticipantsChanged(handle=3, participants=[ada], gone=["0" * 16]),
            RoleChanged(handle=3, role="viewer"),
            TokenRenewed(access_token="a.b.c", expires_at=1.7e9),
            Error(code="forbidden", message="viewers do not edit", handle=3),
        )
    ) + tuple(map(full_message, FACTS))


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


def _chunk() -> bytes:
    return encode_frame(Handle(3), BlobChunk(BlobHash("ab" * 32), 300, 0, b"a part"))


def _openings() -> tuple[bytes, ...]:
    guest, host = _exchanges()
    answer = host.answer(guest.opening)
    return (guest.opening + guest.prove(answer), answer, guest.opening)


def _answers() -> tuple[bytes, ...]:
    head = b"HTTP/1.1 200 OK\r\nDate: Mon, 02 Nov 2026 08:00:00 GMT\r\nContent-Type: text/html\r\n\r\n"
    said = b'{"server_version":"1.0","client_address":"10.0.0.1","oldest_protocol":1,"protocol":2}'
    return (head + said, head + b"<html>", b"HTTP/1.0 511 x")


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


def _announcements() -> tuple[bytes, ...]:
    said = Announcement(
        instance="abcdefgh12", name="Ada é😀", project="Paper", document_id=ID, nameplate="42", tls=True
    )
    return tuple(
        b"\n".join(key.encode() + b"=" + value for key, value in each.to_txt().items())
        for each in (said, Announcement(instance="abcdefgh12", name=""))
    )


def _certificates() -> tuple[bytes, ...]:
    """The same one every time: the key is no secret, and Ed25519 needs no chance to sign."""
    key = Ed25519PrivateKey.from_private_bytes(b"0" * 32)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lab.example.org")])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("lab.example.org"), x509.IPAddress(ip_address("::1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + dt.timedelta(days=9))
    made = builder.add_extension(names, critical=False).sign(key, None)
    return (made.public_bytes(Encoding.DER),)


def _indices() -> tuple[bytes, ...]:
    """The index of a repository, of both versions that are read."""

    def entry(name: bytes, flags: int) -> bytes:
        data = struct.pack(">IIIIIIIIII20sH", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, b"\xaa" * 20, flags) + name
        return data + b"\0" * (8 - len(data) % 8)

    entries = entry(b"main.tex", 8) + entry(b"s/one.tex", 9), entry(b"\0\0main.tex", 0x4008)
    return tuple(
        struct.pack(">4sII", b"DIRC", version, count) + data + ending
        for version, count, data in zip((2, 3), (2, 1), entries, strict=True)
        for ending in (b"\xbb" * 20, *_parts())
    )


def _parts() -> tuple[bytes, ...]:
    """What an index says that is split: a set with a run, and one with places one by one."""
    run, single = (
        struct.pack(f">II{len(words)}QI", 9, len(words), *words, 0) for words in ((1 | 1 << 1,), (1 << 33, 5))
    )
    sets = b"\xaa" * 20 + single + run
    return (struct.pack(">4sI", b"link", len(sets)) + sets + b"\xbb" * 20,)


def _archives() -> tuple[bytes, ...]:
    made = io.BytesIO()
    with ZipFile(made, "w") as archive:
        archive.comment = b"comment"
        archive.writestr("main.tex", "Hello")
        archive.writestr("figures/é.pdf", b"x" * 50)
    return (made.getvalue(),)


@cache
def _databases() -> tuple[bytes, ...]:
    """Return small files with rows on one page, and one whose long row goes on over others."""
    databases = []
    for rows in ([(1, b"ab", "c"), (2, None, 3.5), (-7, b"", 2**40)], [(1, b"long" * 300, "d"), (2, b"e", None)]):
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
            database.execute("PRAGMA page_size = 512")
            database.execute("CREATE TABLE t (number INTEGER PRIMARY KEY, a, b)")
            database.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
            databases.append(database.serialize())
    return tuple(databases)


def _keyed_databases() -> tuple[bytes, ...]:
    """Return files with a table in the order of its key: on one page, and on several."""
    databases = []
    for count, size in ((3, 5), (30, 40), (3, 900)):
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
            database.execute("PRAGMA page_size = 512")
            database.execute("CREATE TABLE t (a TEXT PRIMARY KEY, b, c) WITHOUT ROWID")
            rows = [(f"key {number}", b"b" * size, 2.5) for number in range(count)]
            database.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
            databases.append(database.serialize())
    return tuple(databases)


def _change_logs() -> tuple[bytes, ...]:
    """Return a log of two transactions, and one that began anew over a longer one."""
    logs = []
    with TemporaryDirectory() as folder:
        path = Path(folder, "logged.db")
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("PRAGMA page_size = 512")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("CREATE TABLE t (a)")
            database.execute("INSERT INTO t VALUES ('one')")
            logs.append(wal_path(path).read_bytes())
            database.execute("PRAGMA wal_checkpoint(RESTART)")
            database.execute("INSERT INTO t VALUES ('two')")
            logs.append(wal_path(path).read_bytes())
    return tuple(logs)


def _trees() -> tuple[bytes, ...]:
    one, two = ({"hash": digits * 32, "size": size} for digits, size in (("ab", 3), ("cd", 4.0)))
    figure = {"path": "a.pdf", "kind": "blob", "blob": one, "blob:" + "ab" * 32: one, "blob:" + "cd" * 32: two}
    text = {"path": "é/b.tex", "kind": "text", "spelling": {"encoding": "latin-1", "newline": "crlf", "bom": False}}
    return tuple(
        json.dumps(each, ensure_ascii=False).encode()
        for each in ({"1": figure, "2": text}, {"1": figure | {"kind": "text"}})
    )


def _layout() -> bytes:
    row = SchemaRow(kind="table", name="users", table="users", root_page=2, statement="CREATE TABLE users (x)")
    return msgspec.json.encode(Layout(page_bytes=4096, version=3, rows=[row]))


def _paths() -> tuple[bytes, ...]:
    return (ID.encode() + b"?token=txi_abc", b"%2e%2e/x?token=%ff&token=", b"//host/x#y", b"[::1]?a=b;c")


def _toml() -> tuple[bytes, ...]:
    return (
        b'port = 8091\nhost = "::1"\naccess_ttl = "30m"\n',
        b'[limits]\nmax_frame_bytes = "64M"\n',
        b"a = [1, 2,\n 3]\nb = 1979-05-27T07:32:00Z\n",
    )
