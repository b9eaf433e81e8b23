"""Who is where: the y-protocols awareness state of a document, with the clock and the sender's rights left to callers.

    awareness update = varuint n, n times (varuint client id, varuint clock, varstring JSON state or "null")

A state is a JSON object. Ours has `user` {id, name, color} and, with the caret in a text, `file` (file id) and
`caret` {anchor, head} in UTF-16 units of that text as the sender has it; whoever shows it moves it with the edits
that arrive later, and the sender tells it anew when it moves. Where others' edits moved it, it is told again when they
pause, with a count in `pushed`: the first telling could not know of edits that were on their way. Yjs relative
positions would be the obvious choice, but pycrdt 0.14 (yrs 0.28) counts bytes where their clocks count UTF-16 units:
behind an `é` they name another place, and reading one panics.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from texswarm_server.protocol.errors import ErrorCode, RemoteProtocolError
from texswarm_server.protocol.frames import Reader, write_varuint

_MAX_ENTRIES: Final = 4096

PresenceData = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PresenceEntry:
    """One client's state at one clock; `state` None means it has left."""

    client_id: int
    clock: int
    state: PresenceData | None


def encode_presence(entries: Iterable[PresenceEntry]) -> bytes:
    """Return an awareness update."""
    return join_entries([encode_entry(entry) for entry in entries])


def encode_entry(entry: PresenceEntry) -> bytes:
    """Return one entry as it stands in an update, for who makes several updates of the same entries."""
    state = msgspec.json.encode(entry.state)
    return b"".join((write_varuint(entry.client_id), write_varuint(entry.clock), write_varuint(len(state)), state))


def join_entries(entries: list[bytes]) -> bytes:
    """Return an awareness update made of encoded entries."""
    return b"".join((write_varuint(len(entries)), *entries))


def decode_presence(update: bytes) -> list[PresenceEntry]:
    """Read an awareness update; raises RemoteProtocolError(frame_invalid) for anything else."""
    reader = Reader(update)
    count = reader.varuint()
    if count > _MAX_ENTRIES:
        raise RemoteProtocolError(ErrorCode.FRAME_INVALID, f"{count} awareness entries")
    entries = [PresenceEntry(reader.varuint(), reader.varuint(), _state(reader.varbytes())) for _ in range(count)]
    reader.end()
    return entries


def _state(data: bytes) -> PresenceData | None:
    try:
        return msgspec.json.decode(data, type=PresenceData | None) if data else None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RemoteProtocolError(ErrorCode.FRAME_INVALID, f"awareness state: {error}") from error


class Presence:
    """The awareness states of one document. A newer clock wins; at an equal clock, leaving wins."""

    def __init__(self) -> None:
        self._entries: dict[int, PresenceEntry] = {}

    @property
    def states(self) -> Mapping[int, PresenceData]:
        """The states of clients that are present, by client id."""
        return {entry.client_id: entry.state for entry in self._entries.values() if entry.state is not None}

    def apply(self, entries: Iterable[PresenceEntry]) -> list[PresenceEntry]:
        """Take in entries and return those that were news."""
        news = [entry for entry in entries if self._is_news(entry)]
        for entry in news:
            self._entries[entry.client_id] = entry
        return news

    def publish(self, client_id: int, state: PresenceData | None) -> PresenceEntry:
        """Set a client's state under its next clock and return the entry to send."""
        known = self._entries.get(client_id)
        entry = PresenceEntry(client_id, known.clock + 1 if known else 1, state)
        self._entries[client_id] = entry
        return entry

    def leave(self, client_ids: Iterable[int]) -> list[PresenceEntry]:
        """Mark clients as gone and return the entries that say so."""
        present = self.states
        return [self.publish(client_id, None) for client_id in client_ids if client_id in present]

    def entries(self) -> list[PresenceEntry]:
        """Return everybody who is present, for a newcomer."""
        return [entry for entry in self._entries.values() if entry.state is not None]

    def clear(self) -> None:
        """Forget everybody; done when the link is lost."""
        self._entries.clear()

    def _is_news(self, entry: PresenceEntry) -> bool:
        known = self._entries.get(entry.client_id)
        if known is None:
            return entry.state is not None
        return entry.clock > known.clock or (
            entry.clock == known.clock and entry.state is None and known.state is not None
        )
