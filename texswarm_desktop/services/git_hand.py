"""Which files git itself put into the folder just now: by a checkout, a pull, a reset.

An editor may save what it loaded long ago, and does not know what came since; git knows what it replaces. So it matters
which of them it was. Git notes in its index how each file looked when it had written it, and moves HEAD. A file that
was saved by an editor, and is added or committed within a moment, looks the same. Blocks.
"""

import time
from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path
from typing import Final

from texswarm_desktop.core.git_index import read_index
from texswarm_desktop.services.disk_state import DiskFile
from texswarm_desktop.services.figure_record import Stamp

#: So long after its first file git has moved HEAD, where it does.
_WITHIN_S: Final = 5.0
#: How long a git that is at work is waited for, and from when on its lock is taken for one that was left behind.
_PATIENCE_S: Final = 2.0
_PAUSE_S: Final = 0.02
_NS: Final = 1e9


def marked_by_git(root: Path, files: Mapping[str, DiskFile]) -> dict[str, DiskFile]:
    """Return the files, with a mark on those that git wrote."""
    found = written_by_git(root, {path: file.state.stamp for path, file in files.items()})
    return {path: replace(file, by_git=True) if path in found else file for path, file in files.items()}


def written_by_git(root: Path, files: Mapping[str, Stamp]) -> Set[str]:
    """Return those of `files`, by path below `root`, that are as git wrote them when it moved HEAD last."""
    place = _repository(root) if files else None
    if place is None:
        return frozenset()
    top, store = place
    _let_end(store / "index.lock")
    try:
        entries = read_index((store / "index").read_bytes())
        moved_s = max(_modified_s(store / "HEAD"), _modified_s(store / "logs" / "HEAD"))
    except OSError:
        return frozenset()
    prefix = "" if top == root else f"{root.relative_to(top).as_posix()}/"
    return {
        path
        for path, stamp in files.items()
        if (entry := entries.get(prefix + path)) is not None
        and entry.is_of(stamp.inode, stamp.size, stamp.modified_ns)
        and abs(moved_s - stamp.modified_ns / _NS) <= _WITHIN_S
    }


def _repository(root: Path) -> tuple[Path, Path] | None:
    """Return the folder that git works in, and where it keeps what it knows of it."""
    for folder in (root, *root.parents):
        store = folder / ".git"
        if store.is_dir():
            return folder, store
        if store.is_file():  # a work tree beside the first one, or a submodule
            try:
                named = store.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            except (OSError, UnicodeError):
                return None
            return folder, folder / named
    return None


def _let_end(lock: Path) -> None:
    """Git writes the files first, and notes afterwards how they look."""
    end = time.monotonic() + _PATIENCE_S
    was_there = False
    while time.monotonic() < end and time.time() - _modified_s(lock) < _PATIENCE_S:
        was_there = True
        time.sleep(_PAUSE_S)
    if was_there:
        time.sleep(_PAUSE_S)  # HEAD comes last


def _modified_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
