"""Brings a project in from elsewhere: an archive, or a git repository. Every function blocks."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from texswarm_desktop.core.git_address import looks_like_address, repository_name
from texswarm_desktop.core.main_candidates import main_candidate
from texswarm_desktop.core.project_files import is_project_folder, is_project_text
from texswarm_desktop.core.zip_check import Refused
from texswarm_desktop.services.git_clone import clone
from texswarm_desktop.services.unzip import Progress, unzip

#: Where the class of a document stands: near its beginning.
_LOOKED_AT_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came in. `main` is the file LaTeX is run on, where one was found."""

    folder: Path
    files: int
    size_bytes: int
    main: str | None
    refused: tuple[Refused, ...] = ()


def import_project(source: str, folder: Path, progress: Progress) -> ImportReport:
    """Bring what is at `source`, a file or an address of git, into a new folder.

    Raises StorageError, TransferError or ToolMissingError, and what `progress` raises; the folder is as before then.
    """
    if looks_like_address(source):
        clone(source, folder, progress=progress)
        refused: tuple[Refused, ...] = ()
    else:
        refused = unzip(Path(source).expanduser(), folder, progress=progress).refused
    found = dict(_files(folder))
    return ImportReport(folder, len(found), sum(found.values()), _main(folder, found), refused)


def name_of_source(source: str) -> str:
    """Return what a project that comes from `source` is called."""
    return repository_name(source) if looks_like_address(source) else Path(source.strip()).stem


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield path and size of every file that is not hidden in a folder of a program's own."""
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if is_project_folder(name)]
        for name in names:
            path = Path(root, name)
            if not path.is_symlink():
                yield path.relative_to(folder).as_posix(), path.stat().st_size


def _main(folder: Path, found: dict[str, int]) -> str | None:
    texts = {}
    for path in found:
        if is_project_text(path) and path.lower().endswith((".tex", ".ltx", ".latex")):
            with folder.joinpath(path).open("rb") as file:
                texts[path] = file.read(_LOOKED_AT_BYTES).decode("utf-8", "replace")
    return main_candidate(texts)
