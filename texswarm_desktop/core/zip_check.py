"""Decides which entries of an archive become files, and under which path; every other one is refused for a reason.

An archive is from a stranger: a name may lead out of the folder, an entry may be a link to somewhere else, a few bytes
may unpack to a disk full, and two names may be one file on another system. What programs obey by merely finding it
(`.git/config`, `latexmkrc`) is not taken either. Pure.
"""

import re
import stat
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from texswarm_desktop.core.project_files import OWN_FOLDER
from texswarm_desktop.core.zip_directory import DEFLATED, LOCAL_BYTES, STORED, ZipEntry
from texswarm_server.document.paths import is_safe_path


class Refusal(StrEnum):
    """Why an entry is left out."""

    ABSOLUTE = "absolute"
    DRIVE = "drive"
    OUTSIDE = "outside"
    LINK = "link"
    SPECIAL = "special"
    ENCRYPTED = "encrypted"
    NAME_UNREADABLE = "name_unreadable"
    NAME_IMPOSSIBLE = "name_impossible"
    DUPLICATE = "duplicate"
    BOMB = "bomb"
    TOO_LARGE = "too_large"
    TOTAL_TOO_LARGE = "total_too_large"
    TOO_MANY = "too_many"
    METHOD = "method"
    DAMAGED = "damaged"
    OBEYED = "obeyed"
    OWN = "own"
    CLUTTER = "clutter"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may hold. `ratio`: times what it is packed, an entry and all, above `ratio_from_bytes`."""

    entries: int = 20_000
    entry_bytes: int = 500 * 1024 * 1024
    total_bytes: int = 2 * 1024 * 1024 * 1024
    ratio: int = 200
    ratio_from_bytes: int = 10 * 1024 * 1024
    for_windows: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """An entry that becomes the file, or the folder, at `path`."""

    path: str
    entry: ZipEntry


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that is left out."""

    name: str
    reason: Refusal


@dataclass(frozen=True, slots=True)
class Checked:
    """Both lists in the order of the archive."""

    accepted: tuple[Accepted, ...]
    refused: tuple[Refused, ...]


_MAX_NAME_BYTES: Final = 255
#: Hidden files that only say how the texts beside them are written.
_HARMLESS: Final = frozenset({".gitignore", ".gitattributes", ".gitkeep", ".editorconfig", ".chktexrc", ".keep"})
_OBEYED: Final = re.compile(r"\.?latexmkrc|git~\d+|autorun\.inf|desktop\.ini|.*\.(desktop|lnk|url|webloc)")
_CLUTTER: Final = frozenset({"__macosx", ".ds_store", "thumbs.db"})
_WINDOWS: Final = re.compile(r'.*[<>"|?*].*|(con|prn|aux|nul|(com|lpt)[0-9¹²³])(\..*)?', re.IGNORECASE)
_DRIVE: Final = re.compile(r"[a-zA-Z]:")
_KINDS: Final = {0, stat.S_IFREG, stat.S_IFDIR}


def check_entries(entries: Sequence[ZipEntry], limits: Limits) -> Checked:
    """Sort the entries of an archive into those that are taken and those that are not."""
    check = _Check(limits, _overlapping(entries))
    for number, entry in enumerate(entries):
        path = normalised(entry.name or "")
        reason = Refusal.TOO_MANY if number >= limits.entries else check.reason(entry, path, number)
        if reason is not None:
            check.refused.append(Refused(entry.shown_name, reason))
        elif path:
            check.accepted.append(Accepted(path, entry))
    return Checked(tuple(check.accepted), tuple(check.refused))


def without_root(accepted: Iterable[Accepted]) -> tuple[Accepted, ...]:
    """Take away the one folder that everything is in, as in an archive that a forge makes of a repository."""
    files = tuple(accepted)
    roots = {one.path.partition("/")[0] for one in files}
    if len(roots) != 1 or not all("/" in one.path or one.entry.is_folder for one in files):
        return files
    root = f"{roots.pop()}/"
    return tuple(replace(one, path=one.path.removeprefix(root)) for one in files if one.path.startswith(root))


def normalised(name: str) -> str:
    """Return a name with `/` between its parts, without those that mean nothing."""
    absolute = "/" if name.startswith(("/", "\\")) else ""
    return absolute + "/".join(part for part in name.replace("\\", "/").split("/") if part not in {"", "."})


def is_given_out(path: str) -> bool:
    """Say whether a file of a project goes into an archive of it: no clutter, and of the hidden ones the harmless."""
    name = path.rpartition("/")[2]
    if not is_safe_path(path) or any(unicodedata.category(character) == "Cs" for character in path):
        return False
    return name in _HARMLESS or (not name.startswith(".") and name.lower() not in _CLUTTER)


class _Check:
    """What was taken so far."""

    def __init__(self, limits: Limits, overlapping: frozenset[int]) -> None:
        self.accepted: list[Accepted] = []
        self.refused: list[Refused] = []
        self._limits = limits
        self._overlapping = overlapping
        self._folders: set[str] = set()
        self._files: set[str] = set()
        self._total_bytes = self._packed_bytes = 0

    def reason(self, entry: ZipEntry, path: str, number: int) -> Refusal | None:
        """Return why an entry is not taken; one that is, is noted."""
        reason = (
            _bad_kind(entry)
            or _bad_name(entry, path, self._limits)
            or (Refusal.DAMAGED if number in self._overlapping else None)
            or _bad_size(entry, self._limits)
        )
        if reason is not None or not path:
            return reason
        return self._taken(entry, _folded(path)) or self._too_much(entry)

    def _taken(self, entry: ZipEntry, folded: str) -> Refusal | None:
        """Names that differ in letter case, or in how an accent is written, are one name on some systems."""
        parts = folded.split("/")
        above = {"/".join(parts[:count]) for count in range(1, len(parts))}
        if above & self._files or folded in self._files or (folded in self._folders and not entry.is_folder):
            return Refusal.DUPLICATE
        self._folders |= above
        (self._folders if entry.is_folder else self._files).add(folded)
        return None

    def _too_much(self, entry: ZipEntry) -> Refusal | None:
        """Many entries that are small enough alone are a bomb together."""
        size, packed = self._total_bytes + entry.size, self._packed_bytes + entry.packed_size
        if size > self._limits.total_bytes:
            return Refusal.TOTAL_TOO_LARGE
        if _is_bomb(size, packed, self._limits):
            return Refusal.BOMB
        self._total_bytes, self._packed_bytes = size, packed
        return None


def _bad_kind(entry: ZipEntry) -> Refusal | None:
    kind = stat.S_IFMT(entry.mode)
    if kind == stat.S_IFLNK:
        return Refusal.LINK
    if kind not in _KINDS:
        return Refusal.SPECIAL
    return Refusal.ENCRYPTED if entry.is_encrypted else None


def _bad_name(entry: ZipEntry, path: str, limits: Limits) -> Refusal | None:
    if entry.name is None:
        return Refusal.NAME_UNREADABLE
    parts = path.split("/")
    if (outside := _leads_outside(path, parts)) is not None:
        return outside
    if not path:
        return None if entry.is_folder else Refusal.NAME_IMPOSSIBLE
    if not is_safe_path(path) or any(_is_impossible(part, limits) for part in parts):
        return Refusal.NAME_IMPOSSIBLE
    return next((reason for part in parts if (reason := _bad_part(part)) is not None), None)


def _leads_outside(path: str, parts: Sequence[str]) -> Refusal | None:
    if _DRIVE.match(path):
        return Refusal.DRIVE
    if path.startswith("/"):
        return Refusal.ABSOLUTE
    return Refusal.OUTSIDE if ".." in parts else None


def _is_impossible(part: str, limits: Limits) -> bool:
    if len(part.encode(errors="replace")) > _MAX_NAME_BYTES or part.endswith((" ", ".")):
        return True
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in part):
        return True
    return limits.for_windows and _WINDOWS.fullmatch(part) is not None


def _bad_part(part: str) -> Refusal | None:
    """What cannot be seen in a name is passed over by some systems, so it is here too."""
    plain = _folded("".join(character for character in part if unicodedata.category(character) != "Cf"))
    if plain in _CLUTTER or plain.startswith("._"):
        return Refusal.CLUTTER
    if plain == OWN_FOLDER:
        return Refusal.OWN
    if _OBEYED.fullmatch(plain) or (plain.startswith(".") and plain not in _HARMLESS):
        return Refusal.OBEYED
    return None if plain else Refusal.NAME_IMPOSSIBLE


def _bad_size(entry: ZipEntry, limits: Limits) -> Refusal | None:
    if entry.is_folder:
        return None if entry.size == 0 else Refusal.DAMAGED
    if entry.method not in {STORED, DEFLATED}:
        return Refusal.METHOD
    if entry.method == STORED and entry.size != entry.packed_size:
        return Refusal.DAMAGED
    if entry.size > limits.entry_bytes:
        return Refusal.TOO_LARGE
    return Refusal.BOMB if _is_bomb(entry.size, entry.packed_size, limits) else None


def _is_bomb(size: int, packed_size: int, limits: Limits) -> bool:
    return size > limits.ratio_from_bytes and size > packed_size * limits.ratio


def _overlapping(entries: Sequence[ZipEntry]) -> frozenset[int]:
    """Return the entries whose bytes another one has already: so a few of them can be unpacked a thousand times."""
    found, end = set(), 0
    for number in sorted(range(len(entries)), key=lambda number: entries[number].offset):
        entry = entries[number]
        if entry.offset < end:
            found.add(number)
        end = max(end, entry.offset + LOCAL_BYTES + len(entry.raw_name) + entry.packed_size)
    return frozenset(found)


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
