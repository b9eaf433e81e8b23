"""What is in a folder in which others may be at work: what vanishes while one looks is not there."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_OURS = ".texswarm"


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the content of every file by its path in `folder`, without what is the project's own."""
    found: dict[str, bytes] = {}
    for path in _walk(folder):
        with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return dict(sorted(found.items()))


def folders_in(folder: Path) -> set[str]:
    """Return the paths of the folders in `folder`, hidden ones and what is in them apart."""
    found = set()
    for place, names, _ in os.walk(folder):  # passes over what cannot be listed any more
        names[:] = [name for name in names if not name.startswith(".")]
        found |= {(Path(place) / name).relative_to(folder).as_posix() for name in names}
    return found


def _walk(folder: Path) -> Iterator[Path]:
    for place, names, files in os.walk(folder):
        names[:] = [name for name in names if name != _OURS]
        yield from (Path(place) / name for name in files)
