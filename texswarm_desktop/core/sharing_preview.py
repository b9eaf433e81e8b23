"""What a project's own patterns come to: which files each of them is about, and what stays out by other rules. Pure."""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from texswarm_desktop.core.ignore_rules import IgnoreFile, Sharing


class Match(msgspec.Struct, frozen=True):
    """A file that a pattern is about. `is_shared`: as the rules have it; `is_in_project`: already, and so it stays."""

    path: str
    is_shared: bool
    is_in_project: bool


class PatternMatches(msgspec.Struct, frozen=True):
    """A pattern and its files, by path."""

    pattern: str
    files: tuple[Match, ...]


class SharingPreview(msgspec.Struct, frozen=True):
    """`others`: what is left out by `.gitignore` or as a build product, and by no pattern of the project."""

    share: tuple[PatternMatches, ...] = ()
    leave_out: tuple[PatternMatches, ...] = ()
    others: tuple[Match, ...] = ()


def patterns_in(text: str) -> tuple[str, ...]:
    """Return the patterns that somebody typed, one a line."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def with_patterns(sharing: Sharing, share: str, leave_out: str) -> Sharing:
    """Return other wishes, as typed, about the same build products."""
    return msgspec.structs.replace(sharing, share=patterns_in(share), leave_out=patterns_in(leave_out))


def preview(
    sharing: Sharing, shared: Collection[str], left_out: Collection[str], in_project: Collection[str]
) -> SharingPreview:
    """Say what the patterns match. `shared` and `left_out`: the folder's files as all the rules have them."""
    files = [Match(path, path in shared, path in in_project) for path in sorted({*shared, *left_out})]
    share, leave_out = (_matches(patterns, files) for patterns in (sharing.share, sharing.leave_out))
    named = {file.path for one in leave_out for file in one.files}
    others = tuple(file for file in files if not file.is_shared and file.path not in named)
    return SharingPreview(share, leave_out, others)


def _matches(patterns: Iterable[str], files: Sequence[Match]) -> tuple[PatternMatches, ...]:
    found = []
    for pattern in patterns:
        says = IgnoreFile("", [pattern.removeprefix("!")]).says
        found.append(PatternMatches(pattern, tuple(file for file in files if says(file.path))))
    return tuple(found)
