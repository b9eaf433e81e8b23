"""How the paths of a project are spelled on this disk, which may not take every name that another one takes.

A path of the project is written as it is wherever that is possible. Where it is not, single characters of it become
`%` and two hexadecimal digits, so that the same path is found again:

    on Windows              `<>"|?*`, dots and spaces at the end, names of devices (`aux.tex`), short names (`git~1`)
    where case is folded    the later of two names that differ in nothing else
    everywhere              a file where others need a folder of that name
    on macOS                composed characters (NFC), as the system compares them

A name that looks like such a spelling, and is none, has its `%` written so. Names are never shortened: one that is too
long for the disk has no spelling, and is reported.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

from texswarm_desktop.core.project_files import is_project_text

_ESCAPE: Final = re.compile("%([0-9A-F]{2})")
# With any ending, as Windows does; what a program may have made of a longer name for old ones.
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?=\.|$)", re.IGNORECASE)
_SHORT_NAME: Final = re.compile(r"[^.]{1,6}(~)\d")


class NameRules(msgspec.Struct, frozen=True):
    """What a disk takes as a name. `longest`: in the unit it counts in, for a name."""

    forbidden: str = ""
    has_devices: bool = False
    folds_case: bool = False
    composes: bool = False
    counts: Literal["utf-8", "utf-16-le"] = "utf-8"
    longest: int = 255


POSIX: Final = NameRules()
MACOS: Final = NameRules(folds_case=True, composes=True, counts="utf-16-le")
WINDOWS: Final = NameRules('<>:"|?*', has_devices=True, folds_case=True, counts="utf-16-le")


class LocalNames:
    """The spellings of one disk."""

    def __init__(self, rules: NameRules = POSIX) -> None:
        self._rules = rules

    def paths(self, paths: Mapping[str, str], kept: Mapping[str, str]) -> dict[str, str]:
        """Return where each file is on this disk; `paths` are the project's by file id, `kept`: where they are now.

        Of two names that this disk takes for one, the file that has it keeps it; else the smaller id has it. Files
        that can have no name here, or are of no kind that is written here, are left out.
        """
        folders: dict[str, str] = {}
        found: dict[str, str] = {}
        plain = {file_id: self.spelled(path) for file_id, path in paths.items() if is_project_text(path)}
        in_the_way = {self._folded(folder) for path in plain.values() for folder in _folders_of(path)}
        for file_id in sorted(plain, key=lambda one: (kept.get(one) != plain[one], one)):
            path = self._in_known_folder(plain[file_id], folders)
            free = (one for one in _variants(path) if self._folded(one) not in in_the_way and is_project_text(one))
            path = next(free, "")
            if path and self._is_short_enough(path):
                in_the_way.add(self._folded(path))
                found[file_id] = path
        return found

    def spelled(self, path: str) -> str:
        """Return how `path` is written here as long as no other name is in its way."""
        return "/".join(map(self._spelled_name, path.split("/")))

    def shared(self, path: str) -> str:
        """Return the project's path for what is at `path` on this disk."""
        return "/".join(map(self._shared_name, path.split("/")))

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _spelled_name(self, name: str) -> str:
        if self._rules.composes:
            name = unicodedata.normalize("NFC", name)
        places = self._impossible(name)
        if places or self._is_spelling(name):
            places |= {match.start() for match in _ESCAPE.finditer(name)}
        return _escaped(name, places)

    def _impossible(self, name: str) -> set[int]:
        """Return the places of what this disk does not take."""
        places = {at for at, character in enumerate(name) if character in self._rules.forbidden}
        if self._rules.has_devices:
            places |= {match.end() - 1 for match in _DEVICE.finditer(name) if match.start() == 0}
            places |= {match.start(1) for match in _SHORT_NAME.finditer(name) if match.start() == 0}
            if name.endswith((".", " ")):
                places.add(len(name) - 1)
        return places

    def _shared_name(self, name: str) -> str:
        return _meant(name) if self._is_spelling(name) else name

    def _is_spelling(self, name: str) -> bool:
        """Only what would be written so is a spelling, or what would stand beside a name that is in its way."""
        meant = _meant(name)
        return meant != name and "/" not in meant and name in _variants(self._spelled_name(meant))

    def _in_known_folder(self, path: str, folders: dict[str, str]) -> str:
        """Folders that this disk takes for one are one, under the name that came first."""
        here = ""
        *parents, name = path.split("/")
        for parent in parents:
            folder = f"{here}{parent}"
            here = folders.setdefault(self._folded(folder), folder) + "/"
        return here + name

    def _folded(self, path: str) -> str:
        if not self._rules.folds_case:
            return path
        return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())

    def _is_short_enough(self, path: str) -> bool:
        unit = 2 if self._rules.counts == "utf-16-le" else 1
        return all(
            len(name.encode(self._rules.counts, "surrogatepass")) <= unit * self._rules.longest
            for name in path.split("/")
        )


def rules_for(platform: str, *, folds_case: bool) -> NameRules:
    """Return the rules of a system, by what Python calls it, and of its disk."""
    known = {"win32": WINDOWS, "darwin": MACOS}.get(platform, POSIX)
    return NameRules(
        known.forbidden,
        has_devices=known.has_devices,
        folds_case=folds_case,
        composes=known.composes,
        counts=known.counts,
        longest=known.longest,
    )


def _variants(path: str) -> Iterator[str]:
    """Yield `path`, and then spellings of it of which one more letter, from the front, is written as a number."""
    yield path
    folder, slash, name = path.rpartition("/")
    letters = [at for at, character in enumerate(name) if ord(character) < 256 and character.isalnum()]
    for at in letters:
        if not _ESCAPE.match(name, at - 1) and not _ESCAPE.match(name, at - 2):
            yield folder + slash + _escaped(name, {at})


def _meant(name: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), name)


def _escaped(name: str, places: set[int]) -> str:
    return "".join(f"%{ord(c):02X}" if at in places and ord(c) < 256 else c for at, c in enumerate(name))


def _folders_of(path: str) -> Iterator[str]:
    parts = path.split("/")[:-1]
    return ("/".join(parts[: count + 1]) for count in range(len(parts)))
