"""What commands print: lines, JSON for programs, and tables that stay in line whatever people call themselves."""

import dataclasses
import shutil
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

T = TypeVar("T")

PROGRAM: Final = "texswarm-server"
_GAP: Final = "  "
_NARROWEST: Final = 8
_ELLIPSIS: Final = "…"


def complain(error: Exception) -> None:
    """Print why something failed, in one line."""
    print(f"{PROGRAM}: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201 - what a command line says


def say(text: str) -> None:
    """Print a line, at once."""
    print(text, flush=True)  # noqa: T201 - this is what a command line does


def say_json(value: object) -> None:
    """Print a value as JSON, indented; dataclasses become objects with their fields' names."""
    say(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def say_details(pairs: Iterable[tuple[str, object]]) -> None:
    """Print what one thing is, a line for each side of it."""
    lines = [(title, plain(str(value))) for title, value in pairs]
    width = max(len(title) for title, _ in lines)
    for title, value in lines:
        say(f"{title:<{width}}{_GAP}{value}")


def for_programs(value: object) -> dict[str, object]:
    """Return a dataclass as an object for JSON: what ends in `_at` is a time, and is written as one in UTC."""
    assert dataclasses.is_dataclass(value)
    assert not isinstance(value, type)
    return {
        name: instant(each) if name == "at" or name.endswith("_at") else each
        for name, each in dataclasses.asdict(value).items()
    }


def moment(seconds: float | None) -> str:
    """Return a point in time as people here write it, `-` for none."""
    if seconds is None:
        return "-"
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds)) if _is_a_date(seconds) else "?"


def second(seconds: float) -> str:
    """Return a point in time to the second, for lists of what happened."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) if _is_a_date(seconds) else "?"


def instant(seconds: float | None) -> datetime | None:
    """Return a point in time for JSON: UTC, to the second."""
    if seconds is None or not _is_a_date(seconds):
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def size(count: int) -> str:
    """Return bytes for people, in powers of 1024 and at most three digits."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1024
        del units[0]
    return f"{value:.0f} {units[0]}" if value >= 9.95 or units[0] == "B" else f"{value:.1f} {units[0]}"


def count_of(number: int, thing: str) -> str:
    """Return `1 user`, `2 users`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def yes(value: object, word: str) -> str:
    """Return the word if it is so, else nothing."""
    return word if value else ""


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `is_number`: aligned to the right. `may_shrink`: cut first when a terminal is narrow."""

    title: str
    is_number: bool = False
    may_shrink: bool = False


def say_table(columns: Sequence[Column], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print rows under their titles, or the one sentence `empty` when there is none."""
    for line in table(columns, rows, empty=empty, width=_terminal_width()):
        say(line)


def say_listing(
    items: Sequence[T],
    columns: Sequence[Column],
    row: Callable[[T], Sequence[object]],
    *,
    empty: str,
    as_json: bool,
) -> None:
    """Print things of one kind: as JSON for programs, else each as its `row` of a table."""
    if as_json:
        say_json([for_programs(item) for item in items])
    else:
        say_table(columns, map(row, items), empty=empty)


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]], *, empty: str, width: int | None) -> list[str]:
    """Return the lines of a table that is at most `width` columns wide where that can be had; None: any width."""
    cells = [[plain(str(cell)) for cell in row] for row in rows]
    if not cells:
        return [empty]
    lines = [[column.title.upper() for column in columns], *cells]
    widths = [max(map(columns_of, column)) for column in zip(*lines, strict=True)]
    if width is not None:
        widths = _fitted(widths, columns, width)
    return [_line(line, columns, widths) for line in lines]


def plain(text: str) -> str:
    """Return text that cannot move a terminal's cursor, colour it, or turn its writing round."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(map(_columns_of_character, text))


def _columns_of_character(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _fitted(widths: list[int], columns: Sequence[Column], width: int) -> list[int]:
    """Take what is too much from the widest columns that may shrink."""
    widths = list(widths)
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    shrinking = [place for place, column in enumerate(columns) if column.may_shrink]
    while excess > 0 and any(widths[place] > _NARROWEST for place in shrinking):
        widths[max(shrinking, key=lambda place: widths[place])] -= 1
        excess -= 1
    return widths


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    parts = []
    for cell, column, width in zip(cells, columns, widths, strict=True):
        text = _cut(cell, width)
        space = " " * (width - columns_of(text))
        parts.append(space + text if column.is_number else text + space)
    return _GAP.join(parts).rstrip()


def _cut(text: str, width: int) -> str:
    if columns_of(text) <= width:
        return text
    kept, used = "", 0
    for character in text:
        used += _columns_of_character(character)
        if used > width - 1:
            break
        kept += character
    return kept + _ELLIPSIS


def _terminal_width() -> int | None:
    """Return how wide the terminal is; what goes into a file or a pipe is not cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _is_a_date(seconds: float) -> bool:
    return 0 <= seconds < 253_000_000_000
