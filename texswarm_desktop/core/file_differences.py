"""What would change in a folder if a document took its place, file by file: for somebody who has to choose. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec

from texswarm_desktop.core.text_merge import Edit, diff


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
    added = removed = 0
    for old, new in _changed_lines(here, diff(here, there)):
        added, removed = added + len(new), removed + len(old)
    return FileDifference(path, Change.CHANGED, added, removed)


def _changed_lines(text: str, edits: Iterable[Edit]) -> Iterator[tuple[list[str], list[str]]]:
    """Yield whole lines as they are and as they would be: a word within one makes it another."""
    for first, last, inside in _by_lines(text, edits):
        old, new = text[first:last], ""
        done = first
        for edit in inside:
            new += text[done : edit.start] + edit.new
            done = edit.end
        yield _without_common_ends(old.splitlines(keepends=True), (new + text[done:last]).splitlines(keepends=True))


def _by_lines(text: str, edits: Iterable[Edit]) -> Iterator[tuple[int, int, list[Edit]]]:
    """Yield places from the beginning of a line to the end of one, with all the edits in each."""
    first, last = 0, -1
    inside: list[Edit] = []
    for edit in edits:
        begins = text.rfind("\n", 0, edit.start) + 1
        if inside and begins >= last:
            yield first, last, inside
            inside = []
        first = first if inside else begins
        newline = text.find("\n", edit.end)
        last = newline + 1 if newline >= 0 else len(text)
        inside.append(edit)
    if inside:
        yield first, last, inside


def _without_common_ends(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    begin = 0
    while begin < min(len(old), len(new)) and old[begin] == new[begin]:
        begin += 1
    end = 0
    while end < min(len(old), len(new)) - begin and old[-1 - end] == new[-1 - end]:
        end += 1
    return old[begin : len(old) - end], new[begin : len(new) - end]


def _lines(text: str) -> int:
    return len(text.splitlines())
