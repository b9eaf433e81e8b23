"""An open project over a folder, in few words."""

import subprocess
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from pathlib import Path

from texswarm_desktop.services.project import Project
from texswarm_server.document import FileText


def fill(folder: Path, files: dict[str, str]) -> None:
    """Write `files` (path, text) into `folder`."""
    folder.mkdir(exist_ok=True)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


@asynccontextmanager
async def opened(folder: Path, executor: Executor, files: dict[str, str] | None = None) -> AsyncIterator[Project]:
    """Open `folder` with `files` in it, and close it again."""
    fill(folder, files or {})
    async with await Project.open(folder, store_executor=executor) as project:
        await project.flush()
        yield project


def texts_of(project: Project) -> dict[str, str]:
    """Return the project's files: path and text."""
    document = project.document
    return {entry.path: str(document.text(file_id)) for file_id, entry in document.files.items()}


def text_at(project: Project, path: str) -> FileText:
    """Return the text of the file at `path`, which must be there."""
    file_id = project.document.file_at(path)
    assert file_id is not None
    return project.document.text(file_id)


def type_at_end(project: Project, path: str, words: str) -> None:
    """Type `words` at the end of a file."""
    text = text_at(project, path)
    text.replace_cp(text.index.total_cp, text.index.total_cp, words)


def everything_in(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return all files, the project's own state apart: content and time of writing."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and ".texswarm" not in path.parts
    }


def git(folder: Path, *words: str) -> str:
    """Run git in `folder`, as somebody, and return what it says."""
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@b.invalid", "-c", "init.defaultBranch=main", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
