"""What would change in a folder if a document took its place, file by file: for somebody who has to choose. Pure."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from texswarm_desktop.core.text_merge import changed_lines


class Change(StrEnum):
    """Where a file differs."""

    SAME = "same"
    CHANGED = "changed"
    ONLY_HERE = "only here"
    ONLY_THERE = "only there"


class FileDifference(msgspec.Struct, frozen=True):
    """One file here and there. `added` and `removed` count lines of a text, as seen from here."""

    path: str
    change: Change
    added: int = 0
    removed: int = 0
    is_figure: bool = False


class FileSet(msgspec.Struct, frozen=True):
    """The files of one side by path: texts, and figures by the hash of what is in them."""

    texts: Mapping[str, str]
    figures: Mapping[str, str] = msgspec.field(default_factory=dict)


def differences(here: FileSet, there: FileSet) -> list[FileDifference]:
    """Compare two sets of files, in the order of the paths; files that are the same are named too."""
    found = [*_compared(here.texts, there.texts), *_compared_figures(here.figures, there.figures)]
    return sorted(found, key=lambda file: file.path)


def _compared_figures(here: Mapping[str, str], there: Mapping[str, str]) -> Iterator[FileDifference]:
    for path in here.keys() | there.keys():
        if path not in there:
            change = Change.ONLY_HERE
        elif path not in here:
            change = Change.ONLY_THERE
        else:
            change = Change.SAME if here[path] == there[path] else Change.CHANGED
        yield FileDifference(path, change, is_figure=True)


def _compared(here: Mapping[str, str], there: Mapping[str, str]) -> Iterator[FileDifference]:
    for path in sorted(here.keys() | there.keys()):
        if path not in there:
            yield FileDifference(path, Change.ONLY_HERE, removed=_lines(here[path]))
        elif path not in here:
            yield FileDifference(path, Change.ONLY_THERE, added=_lines(there[path]))
        elif here[path] == there[path]:
            yield FileDifference(path, Change.SAME)
        else:
            yield _changed(path, here[path], there[path])


def _changed(path: str, here: str, there: str) -> FileDifference:
    """A word within a line makes it another line."""
    spans = changed_lines(here, there)
    added, removed = sum(d - c for _, _, c, d in spans), sum(b - a for a, b, _, _ in spans)
    return FileDifference(path, Change.CHANGED, added, removed)


def _lines(text: str) -> int:
    return len(text.splitlines())
