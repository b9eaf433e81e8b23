"""Paths of a project's files: relative, with `/`, the same on every system. Nothing here looks at a disk."""

from collections.abc import Collection, Iterator
from itertools import count
from pathlib import PurePosixPath
from typing import Final

_MAX_PATH_CHARS: Final = 1024


def usual_main(paths: Collection[str]) -> str | None:
    """Return which of these texts LaTeX is run on as long as nobody chose: `main.tex`, else the first `.tex`."""
    return "main.tex" if "main.tex" in paths else min((path for path in paths if path.endswith(".tex")), default=None)


def is_safe_path(path: str) -> bool:
    """Say whether `path` is a plain relative path with `/` that stays inside the project on every system."""
    if not path or len(path) > _MAX_PATH_CHARS or "\\" in path or path != str(PurePosixPath(path)):
        return False
    parts = path.split("/")
    return all(
        part not in {".", "..", ""} and ":" not in part and not any(ord(c) < 32 for c in part) for part in parts
    ) and not path.startswith("/")


def free_path(path: str, taken: Collection[str]) -> str:
    """Return `path`, with a number behind its name where it is taken."""
    return next(one for one in _numbered_paths(path) if one not in taken)


def _numbered_paths(path: str) -> Iterator[str]:
    yield path
    pure = PurePosixPath(path)
    for number in count(2):
        yield str(pure.with_name(f"{pure.stem} ({number}){pure.suffix}"))
