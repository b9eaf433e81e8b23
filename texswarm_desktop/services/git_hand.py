"""Which files git itself put into the folder: by a checkout, a pull, a reset.

An editor may save what it loaded long ago, and does not know what came since; git knows what it replaces. So it matters
which of them it was. Git notes in its index how each file looked when it had written it, and in a log why it moved
HEAD. A file that an editor saved, and that was added, is in the index as well; but then HEAD moves by a commit, or does
not move, and git has just put the content among its objects, or touched what it had of it. What was there for longer
than the file, git wrote into it. Blocks.

What git writes and does not note (`git restore --source`, `git apply`) is taken for an editor's. So is, the other way
round, what an editor saved for git's, when it is exactly what was committed and `git status` noted it at once.
"""

import re
import time
from collections.abc import Iterable, Mapping, Set
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from texswarm_desktop.core.git_index import SHA1_BYTES, SHA256_BYTES, IndexEntry, read_index
from texswarm_desktop.core.git_reflog import times_of_writing
from texswarm_desktop.services.disk_state import DiskFile
from texswarm_desktop.services.figure_record import Stamp

#: How far two times of one disk may be apart that are of one moment.
_APART_S: Final = 0.1
#: So long after its first file git has moved HEAD, and notes in whole seconds when it did.
_WITHIN_S: Final = 5.0
_NOTED_S: Final = 1.0 + _APART_S
#: So much of the log is read, its end.
_LOG_BYTES: Final = 256 * 1024
#: How long a git that is at work is waited for, and from when on its lock is taken for one that was left behind.
_PATIENCE_S: Final = 2.0
_PAUSE_S: Final = 0.02
#: Of how many repositories a chain of those that borrow of each other is followed.
_MOST_STORES: Final = 20
_NS: Final = 1e9
_IS_SHA256: Final = re.compile(rb'^\s*objectformat\s*=\s*"?sha256\b', re.IGNORECASE | re.MULTILINE)


class _Repository(msgspec.Struct, frozen=True):
    """`top`: the folder that git works in; `store`: where it keeps what it knows of that."""

    top: Path
    store: Path

    def entries(self) -> Mapping[str, IndexEntry]:
        """Return what git noted of its files, by path below `top`."""
        is_sha256 = _IS_SHA256.search((self._shared() / "config").read_bytes())
        name_bytes = SHA256_BYTES if is_sha256 else SHA1_BYTES
        return read_index(
            (self.store / "index").read_bytes(), name_bytes, lambda name: (self.store / name).read_bytes()
        )

    def objects(self) -> "_Objects":
        """Return the contents that git has, with those that it borrows of other repositories."""
        stores = [self._shared() / "objects"]
        for store in stores:
            with suppress(OSError, UnicodeError):
                borrowed = (store / "info" / "alternates").read_text(encoding="utf-8").splitlines()
                stores += [store / line for line in borrowed if line and len(stores) < _MOST_STORES]
        packs = [pack for store in stores for pack in (store / "pack").glob("*.pack")]
        return _Objects(stores, max(map(_modified_s, packs), default=0.0))

    def _shared(self) -> Path:
        """Return where is what a work tree beside the first one has in common with it."""
        with suppress(OSError, UnicodeError):
            return self.store / (self.store / "commondir").read_text(encoding="utf-8").strip()
        return self.store

    def times_of_writing(self) -> Iterable[float]:
        """Return when git put other files in place; where it keeps no log, when it did so last."""
        with suppress(OSError), (self.store / "logs" / "HEAD").open("rb") as log:
            log.seek(max(log.seek(0, 2) - _LOG_BYTES, 0))
            return times_of_writing(log.read())
        heads = [self.store / "ORIG_HEAD"]
        if (self.store / "HEAD").read_bytes().startswith(b"ref:"):  # else a commit moves it as well
            heads.append(self.store / "HEAD")
        return map(_modified_s, heads)


class _Objects(msgspec.Struct, frozen=True):
    """`packed_s`: when the last of the packs was written or touched."""

    stores: list[Path]
    packed_s: float

    def is_older(self, name: str, than_s: float) -> bool:
        """Say whether an object was there before, and git did not have to write it since: it may be in any pack."""
        found = [_modified_s(store / name[:2] / name[2:]) for store in self.stores]
        return 0.0 < max(*found, self.packed_s) < than_s - _APART_S


def marked_by_git(root: Path, files: Mapping[str, DiskFile]) -> dict[str, DiskFile]:
    """Return the files, with a mark on those that git wrote."""
    found = written_by_git(root, {path: file.state.stamp for path, file in files.items()})
    return {path: replace(file, by_git=True) if path in found else file for path, file in files.items()}


def written_by_git(root: Path, files: Mapping[str, Stamp]) -> Set[str]:
    """Return those of `files`, by path below `root`, that are as git wrote them."""
    repository = _repository(root) if files else None
    if repository is None:
        return frozenset()
    _let_end(repository.store / "index.lock")
    try:
        entries, objects = repository.entries(), repository.objects()
        times = list(repository.times_of_writing())
    except OSError:
        return frozenset()
    prefix = "" if repository.top == root else f"{root.relative_to(repository.top).as_posix()}/"
    return {
        path
        for path, stamp in files.items()
        if (entry := entries.get(prefix + path)) is not None
        and entry.is_of(stamp.inode, stamp.size, stamp.modified_ns)
        and (
            any(-_WITHIN_S <= stamp.modified_ns / _NS - at < _NOTED_S for at in times)
            or objects.is_older(entry.name, stamp.modified_ns / _NS)
        )
    }


def _repository(root: Path) -> _Repository | None:
    for folder in (root, *root.parents):
        store = folder / ".git"
        if store.is_dir():
            return _Repository(folder, store)
        if store.is_file():  # a work tree beside the first one, or a submodule
            try:
                named = store.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            except (OSError, UnicodeError):
                return None
            return _Repository(folder, folder / named)
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
