"""What a host says of itself on the local network: the TXT record of its DNS-SD service. Pure; nothing in it is secret.

Anybody on the network can send such a record, so what is read is bounded and made fit to be shown, and proves nothing:
whether the host is who it says shows when a connection is made, by its certificate.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from texswarm_server.protocol.errors import ErrorCode, RemoteProtocolError
from texswarm_server.protocol.ids import is_uuid
from texswarm_server.protocol.version import PROTOCOL_VERSION

SERVICE_TYPE: Final = "_texswarm._tcp.local."
FORMAT: Final = b"1"

_MAX_NAME_BYTES: Final = 120
_MAX_TITLE_BYTES: Final = 200
_MAX_PROTOCOL: Final = 255
_INSTANCE: Final = re.compile(r"[A-Za-z0-9_-]{8,40}")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
_NAMEPLATE: Final = re.compile(r"[0-9]{1,4}")
_NAMEPLATES: Final = re.compile(r"[0-9]{1,4}(,[0-9]{1,4})*")
_MOST_NAMEPLATES: Final = 50
#: Categories of Unicode whose characters cannot be seen, or turn the text around them: controls, formats, surrogates …
_UNSHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class Entry(StrEnum):
    """How one gets in who found a host by its announcement: as they are, or by the join code or a link only."""

    OPEN = "open"
    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What a host announces. `instance` is the same whenever this host appears, whatever its name and address.

    `nameplate`: the part of the join code that is not secret, empty while there is no code; `more_nameplates`: those of
    other codes that hold as well.
    """

    instance: str
    name: str
    project: str = ""
    document_id: str | None = None
    fingerprint: str | None = None
    nameplate: str = ""
    more_nameplates: tuple[str, ...] = ()
    entry: Entry = Entry.CODE
    tls: bool = False
    protocol: int = PROTOCOL_VERSION

    def to_txt(self) -> dict[str, bytes]:
        """Return the entries of the TXT record; each fits the 255 bytes that DNS allows."""
        entries = {
            "txtvers": FORMAT,
            "v": str(self.protocol).encode(),
            "id": self.instance.encode(),
            "name": _encoded(self.name, _MAX_NAME_BYTES),
            "title": _encoded(self.project, _MAX_TITLE_BYTES),
            "doc": (self.document_id or "").encode(),
            "tls": b"1" if self.tls else b"",
            "fp": (self.fingerprint or "").encode(),
            "code": self.nameplate.encode(),
            "codes": ",".join(self.more_nameplates[:_MOST_NAMEPLATES]).encode(),
            "in": self.entry.encode(),
        }
        return {key: value for key, value in entries.items() if value}


def read_announcement(entries: Mapping[bytes, bytes | None]) -> Announcement:
    """Return what a TXT record says; raises RemoteProtocolError for one that no host of ours would send."""
    if entries.get(b"txtvers") != FORMAT:
        raise RemoteProtocolError(ErrorCode.INVALID_PAYLOAD, "another form of announcement")
    protocol = _matched(entries, b"v", re.compile(r"[0-9]{1,3}")) or "0"
    instance = _matched(entries, b"id", _INSTANCE)
    document_id = (entries.get(b"doc") or b"").decode("ascii", "replace")
    if instance is None or not 1 <= int(protocol) <= _MAX_PROTOCOL or (document_id and not is_uuid(document_id)):
        raise RemoteProtocolError(ErrorCode.INVALID_PAYLOAD, "an announcement without what it must have")
    return Announcement(
        instance=instance,
        name=shown_text(entries.get(b"name") or b"", _MAX_NAME_BYTES),
        project=shown_text(entries.get(b"title") or b"", _MAX_TITLE_BYTES),
        document_id=document_id or None,
        fingerprint=_matched(entries, b"fp", _FINGERPRINT),
        nameplate=_matched(entries, b"code", _NAMEPLATE) or "",
        more_nameplates=tuple(filter(None, (_matched(entries, b"codes", _NAMEPLATES) or "").split(","))),
        entry=Entry.OPEN if entries.get(b"in") == b"open" else Entry.CODE,
        tls=entries.get(b"tls") == b"1",
        protocol=int(protocol),
    )


def shown_text(data: bytes, max_bytes: int) -> str:
    """Return text from strangers as it may be shown: on one line, without what cannot be seen or turns it around."""
    text = data[:max_bytes].decode("utf-8", "ignore")
    seen = "".join(" " if unicodedata.category(char) in _UNSHOWN else char for char in text)
    return " ".join(seen.split())


def _encoded(text: str, max_bytes: int) -> bytes:
    """Return text cut at the border of a character."""
    data = text.encode("utf-8", "replace")
    return shown_text(data, max_bytes).encode()


def _matched(entries: Mapping[bytes, bytes | None], key: bytes, form: "re.Pattern[str]") -> str | None:
    """Return an entry that must have a certain form; None when it is missing or has another one."""
    value = (entries.get(key) or b"").decode("ascii", "replace")
    return value if form.fullmatch(value) else None
