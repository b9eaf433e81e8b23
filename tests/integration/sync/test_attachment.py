"""Beside a program that has the folder open, in one process with it."""

import asyncio
import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.helpers.run_async import runs_async, until
from texswarm_desktop.core.holder_news import HolderNews
from texswarm_desktop.services.folder_channel import FolderChannel
from texswarm_desktop.services.project_entry import lock_path
from texswarm_desktop.sync.attachment import Attachment
from texswarm_desktop.sync.options import SyncOptions
from texswarm_desktop.sync.reporter import Reporter
from texswarm_server.process_lock import ProcessLock
from texswarm_server.protocol.errors import ProjectInUseError


def note_of(pid: int) -> bytes:
    return json.dumps({"pid": pid, "host": "here", "program": "texswarm sync"}).encode()


@runs_async
async def test_who_took_the_folder_after_another_is_named_though_the_lock_named_that_one_first(tmp_path: Path) -> None:
    async def at_rest() -> bool:
        return True

    lock_path(tmp_path).parent.mkdir()
    heard: list[HolderNews] = []
    out = io.StringIO()
    with ProcessLock(lock_path(tmp_path), note_of(1)) as lock, ThreadPoolExecutor(1) as executor:
        channel = FolderChannel(tmp_path, at_rest, executor=executor)
        await channel.open()
        attachment = Attachment(
            SyncOptions(tmp_path), Reporter(out, io.StringIO(), as_json=True), executor=executor, on_news=heard.append
        )
        async with asyncio.TaskGroup() as group:
            beside = group.create_task(
                attachment.until_free(ProjectInUseError(str(tmp_path), pid=1, program="texswarm sync"), None)
            )
            await until(lambda: attachment.holder is not None)
            lock.write_note(note_of(os.getpid()))
            channel.tell(HolderNews(state="live", text="Connected"))
            await until(lambda: heard)
            lock.release()
            await channel.close()
            assert await beside is False
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [one["pid"] for one in told if one["event"] == "attached"] == [1, os.getpid(), None]
