"""Whose replica a folder holds is noted beside it only when the replica itself knows it for good."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from texswarm_desktop.services.belonging import Belonging
from texswarm_desktop.services.project_identity import read_identity
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress

LINK = InviteLink(ServerAddress("example.org", 443, tls=True), "txi_secret")


async def entered(folder: Path, executor: ThreadPoolExecutor) -> tuple[ReplicaStore, Belonging]:
    (folder / ".texswarm").mkdir(parents=True, exist_ok=True)
    store = ReplicaStore(folder / ".texswarm" / "replica.db", executor=executor)
    belonging = Belonging(folder, store, executor=executor)
    belonging.load((await store.load(now=0.0)).meta)
    return store, belonging


def test_it_is_noted_beside_the_replica_after_it_is_durable_there(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        store, belonging = await entered(tmp_path, executor)
        belonging.identify("doc", "history")
        belonging.note_when_durable()
        await belonging.noted()
        assert read_identity(tmp_path) is None
        await store.flushed()
        await belonging.noted()
        identity = read_identity(tmp_path)
        assert identity is not None
        assert (identity.document_id, identity.lineage) == ("doc", "history")
        await store.abandon()

    asyncio.run(story())


def test_its_server_and_session_are_known_again_without_the_secret(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async def story() -> None:
        store, belonging = await entered(tmp_path, executor)
        belonging.identify("doc", None)
        belonging.bind_server(LINK)
        belonging.keep_session(str(LINK.address), "session")
        await store.flushed()
        await store.abandon()
        store, again = await entered(tmp_path, executor)
        assert again.server_link is not None
        assert (again.document_id, again.lineage, again.server_link.document_id) == ("doc", None, "doc")
        assert (again.server_link.address, again.server_link.token) == (LINK.address, None)
        assert again.session_at(str(LINK.address)) == "session"
        assert again.session_at("elsewhere") is None
        again.forget_server()
        await store.flushed()
        await store.abandon()
        store, last = await entered(tmp_path, executor)
        assert (last.server_link, last.session_at(str(LINK.address))) == (None, None)
        await store.abandon()

    asyncio.run(story())


def test_a_note_that_cannot_be_written_is_no_error(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async def story() -> None:
        store, belonging = await entered(tmp_path, executor)
        belonging.identify("doc", None)
        (tmp_path / ".texswarm" / "project.json").mkdir()
        belonging.note()
        await belonging.noted()
        await store.abandon()

    asyncio.run(story())
