"""Carries out how a folder and a document of a server come together: what `core.joining` decided, or somebody chose.

Nothing of the folder is ever lost by it: what gives way is put aside first.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from texswarm_desktop.core.joining import Road
from texswarm_desktop.services.aside import put_beside, put_inside
from texswarm_desktop.services.project import Project
from texswarm_desktop.services.project_identity import read_identity


class Joined(msgspec.Struct, frozen=True):
    """The folder as a replica of the document, and where the state of before is, if it gave way."""

    project: Project
    aside: Path | None = None


async def come_together(
    road: Road,
    folder: Path,
    document_id: str,
    lineage: str,
    content: bytes | None,
    *,
    executor: Executor,
    now: Callable[[], datetime] = datetime.now,
) -> Joined:
    """Go one of the roads on which a folder becomes a replica. `content`: the document, where files meet it.

    The folder must not be open. Raises StorageError; the folder holds what it held then, or a complete copy is aside.
    """
    assert road is not Road.ASK
    if road in {Road.GO_ON, Road.MERGE}:
        return Joined(await _one_history(folder, document_id, executor))
    aside = None
    if road is Road.KEEP_BOTH:
        aside = await _blocking(executor, partial(put_beside, folder, now()))
        await _begin_own_life(aside, executor)
    elif road is Road.TAKE_THEIRS or read_identity(folder) is not None:
        aside = await _blocking(executor, partial(put_inside, folder, now()))
    kept = content if road in {Road.FILL, Road.FETCH} else None
    return Joined(await Project.join(folder, document_id, lineage, kept, store_executor=executor), aside)


async def _one_history(folder: Path, document_id: str, executor: Executor) -> Project:
    """A project of the same origin: nothing gives way, and what either side lacks is exchanged."""
    project = await Project.open(folder, store_executor=executor)
    if project.document_id != document_id:
        project.belong_to(document_id)
    return project


async def _begin_own_life(copy: Path, executor: Executor) -> None:
    """A copy of a project must not be taken for the project."""
    if read_identity(copy) is not None:
        async with await Project.open(copy, store_executor=executor) as project:
            project.begin_own_life()


async def _blocking(executor: Executor, work: Callable[[], Path]) -> Path:
    return await asyncio.get_running_loop().run_in_executor(executor, work)
