"""Binary files over real connections: up, down, interrupted, refused, and forgotten."""

from __future__ import annotations

import asyncio
import os
import shutil
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.run_async import runs_async, until
from tests.helpers.small_disk import small_disk
from tests.helpers.wire_client import Opened, WireClient, signed_in_client
from tests.integration.server.test_metrics import comes_to, numbers
from texswarm_server.cli.diagnosis.storage import check_storage
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.protocol.frames import BlobChunk, encode_frame
from texswarm_server.protocol.ids import BlobHash
from texswarm_server.protocol.messages import (
    BlobOffer,
    BlobReceived,
    BlobStored,
    BlobsWanted,
    Error,
    FetchBlob,
    OfferBlobs,
)
from texswarm_server.protocol.version import Limits
from texswarm_server.storage.backup import backup
from texswarm_server.storage.blob_backup import backup_folder
from texswarm_server.storage.integrity import check

if TYPE_CHECKING:
    from pathlib import Path

CHUNK = 64 * 1024


def content(size: int, seed: int = 1) -> bytes:
    return Random(seed).randbytes(size)


def name_of(data: bytes) -> BlobHash:
    return BlobHash(sha256(data).hexdigest())


async def offer(client: WireClient, opened: Opened, *datas: bytes) -> BlobsWanted:
    blobs = [BlobOffer(hash=name_of(data), size=len(data)) for data in datas]
    return await client.ask(OfferBlobs(handle=opened.handle, blobs=blobs), BlobsWanted)


async def send(
    opened: Opened, data: bytes, start: int = 0, end: int | None = None, *, name: str = "", size: int = CHUNK
) -> None:
    """Send a part of a content, each chunk when the one before it is answered; `name`: the hash, if not its own."""
    client, blob_hash = opened.client, BlobHash(name or name_of(data))
    for offset in range(start, len(data) if end is None else end, size):
        heard = len(client.facts)
        part = data[offset : min(offset + size, len(data) if end is None else end)]
        await opened.send(BlobChunk(blob_hash, len(data), offset, part))
        await client.heard(lambda fact: isinstance(fact, BlobReceived | BlobStored | Error), after=heard)


async def fetch(opened: Opened, blob_hash: str, offset: int, length: int) -> bytes:
    before = len(opened.client.frames)
    await opened.client.send(FetchBlob(handle=opened.handle, hash=blob_hash, offset=offset, length=length))
    await opened.client.until(lambda: any(isinstance(body, BlobChunk) for _, body in opened.client.frames[before:]))
    return next(body.data for _, body in opened.client.frames[before:] if isinstance(body, BlobChunk))


async def refusal(opened: Opened, chunk: BlobChunk) -> Error:
    heard = len(opened.client.facts)
    await opened.send(chunk)
    return await opened.client.heard(Error, after=heard)


def chunk_of(data: bytes, offset: int, end: int) -> BlobChunk:
    return BlobChunk(name_of(data), len(data), offset, data[offset:end])


@runs_async
async def test_a_figure_goes_up_is_told_to_everybody_and_comes_down(premises) -> None:
    data = content(300_000)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        invite = await place.server.create_invite("viewer", mine.facts.document_id)
        async with signed_in_client(place.url, invite) as bob:
            theirs = await bob.open(mine.facts.document_id)
            assert (await offer(ada, mine, data)).wanted[0].offset == 0
            await send(mine, data)
            stored = await bob.heard(BlobStored)
            assert stored.hash == name_of(data)
            parts = [
                await fetch(theirs, stored.hash, at, min(CHUNK, len(data) - at)) for at in range(0, len(data), CHUNK)
            ]
            assert b"".join(parts) == data
            again = await offer(ada, mine, data)
            assert (again.wanted, again.refused) == ([], [])


@runs_async
async def test_what_is_stored_travels_and_is_refused_is_told_to_prometheus(premises) -> None:
    data = content(100_000)
    async with (
        premises.running(limits=Limits(max_blob_bytes=200_000)) as place,
        signed_in_client(place.url, place.host_invite) as ada,
    ):
        for _ in range(2):
            mine = await ada.create_and_open("text")
            await offer(ada, mine, data)
            await send(mine, data)
        assert (await offer(ada, mine, content(200_001, 2))).refused
        await refusal(mine, BlobChunk(name_of(b"x"), 300_000, 0, b"x"))
        await fetch(mine, name_of(data), 0, 1000)
        await comes_to(place, ("blobs_stored",), 1)
        seen = await numbers(place)
    assert {name: seen[name,] for name in (
        "blobs_stored_bytes", "blobs_arrived_total", "blob_received_bytes_total", "blob_sent_bytes_total",
        "blobs_collected_total",
    )} == {
        "blobs_stored_bytes": 100_000, "blobs_arrived_total": 2, "blob_received_bytes_total": 200_000,
        "blob_sent_bytes_total": 1000, "blobs_collected_total": 0,
    }  # fmt: skip
    assert seen["blobs_refused_total", "limit_exceeded"] == 2


@runs_async
async def test_an_empty_file_is_a_figure_too(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        await offer(ada, mine, b"")
        await mine.send(chunk_of(b"", 0, 0))
        await ada.heard(BlobStored)
        assert await fetch(mine, name_of(b""), 0, 0) == b""


@runs_async
async def test_what_was_sent_before_a_cut_and_a_restart_is_not_wanted_again(premises) -> None:
    data = content(300_000)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        document_id = mine.facts.document_id
        await offer(ada, mine, data)
        await send(mine, data, 0, 2 * CHUNK)
        ada.cut()
        await ada.closed()
    async with (
        premises.running() as place,
        signed_in_client(place.url, ada.welcome.access_token, user_id=None) as again,
    ):
        mine = await again.open(document_id)
        assert (await offer(again, mine, data)).wanted[0].offset == 2 * CHUNK
        await send(mine, data, 2 * CHUNK)
        await again.heard(BlobStored)
        assert await fetch(mine, name_of(data), 0, CHUNK) == data[:CHUNK]


@runs_async
async def test_what_had_arrived_whole_when_the_server_was_killed_is_finished(premises) -> None:
    data = content(100_000)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        document_id = mine.facts.document_id
        await offer(ada, mine, data)
        await send(mine, data, 0, CHUNK)
        ada.cut()
        await ada.closed()
    (part,) = [path for path in premises.config.data.rglob("*") if path.is_file() and path.stat().st_size == CHUNK]
    part.write_bytes(data)
    async with (
        premises.running() as place,
        signed_in_client(place.url, ada.welcome.access_token, user_id=None) as again,
    ):
        mine = await again.open(document_id)
        (gap,) = (await offer(again, mine, data)).wanted
        await mine.send(chunk_of(data, gap.offset, len(data)))
        await again.heard(BlobStored)
        assert await fetch(mine, name_of(data), 0, 1000) == data[:1000]


@runs_async
async def test_a_viewer_may_fetch_and_not_send(premises) -> None:
    data = content(1000)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        invite = await place.server.create_invite("viewer", mine.facts.document_id)
        async with signed_in_client(place.url, invite) as bob:
            theirs = await bob.open(mine.facts.document_id)
            blobs = [BlobOffer(hash=name_of(data), size=len(data))]
            assert await bob.refused(OfferBlobs(handle=theirs.handle, blobs=blobs)) == "forbidden"
            error = await refusal(theirs, chunk_of(data, 0, 1000))
            assert (error.code, error.blob, error.handle) == ("forbidden", name_of(data), theirs.handle)


@runs_async
async def test_knowing_a_hash_opens_no_content_of_another_document(premises) -> None:
    data = content(1000)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        secret = await ada.create_and_open("secret")
        await offer(ada, secret, data)
        await send(secret, data)
        async with signed_in_client(place.url, place.host_invite) as eve:
            own = await eve.create_and_open("own")
            handles = {own.handle: "not_found", secret.handle: "handle_unknown"}
            for handle, code in handles.items():
                order = FetchBlob(handle=handle, hash=name_of(data), length=1000)
                assert await eve.refused(order) == code
            assert [gap.hash for gap in (await offer(eve, own, data)).wanted] == [name_of(data)]
            assert await eve.refused(FetchBlob(handle=own.handle, hash=name_of(data), length=1000)) == "not_found"
            await send(own, data)  # who has it may bring it, and the disk keeps it once
            assert await fetch(own, name_of(data), 0, 1000) == data
    assert len([path for path in (premises.config.data / "blobs").rglob("*") if path.is_file()]) == 1


@runs_async
async def test_bytes_that_have_another_hash_are_refused_and_nothing_is_kept(premises) -> None:
    data = content(100_000)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        wrong = bytes(len(data))
        await offer(ada, mine, data)
        await send(mine, wrong, name=name_of(data))
        error = await ada.heard(Error)
        assert (error.code, error.blob) == ("blob_invalid", name_of(data))
        assert (await offer(ada, mine, data)).wanted[0].offset == 0
        assert await ada.refused(FetchBlob(handle=mine.handle, hash=name_of(data), length=1)) == "not_found"
        await send(mine, data)
        await ada.heard(BlobStored)


@runs_async
async def test_a_liar_does_not_spoil_what_another_sends(premises) -> None:
    data = content(100_000)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        invite = await place.server.create_invite("editor", mine.facts.document_id)
        async with signed_in_client(place.url, invite) as mallory:
            theirs = await mallory.open(mine.facts.document_id)
            await offer(ada, mine, data)
            await offer(mallory, theirs, data)
            await send(mine, data, 0, CHUNK)
            await send(theirs, bytes(len(data)), name=name_of(data))
            assert (await mallory.heard(Error)).code == "blob_invalid"
            await send(mine, data, CHUNK)
            await ada.heard(BlobStored)


@pytest.mark.parametrize(
    ("chunk", "code"),
    [
        (lambda data: chunk_of(data, 500, 1000), "blob_invalid"),
        (lambda data: BlobChunk(name_of(data), 1000, 0, data + b"more"), "blob_invalid"),
        (lambda data: BlobChunk(name_of(data), 1000, 2**60, data), "blob_invalid"),
        (lambda data: BlobChunk(name_of(data), 2**60, 0, data), "limit_exceeded"),
        (lambda data: BlobChunk(name_of(data), 2**19, 0, bytes(2**19)), "limit_exceeded"),
        (lambda data: BlobChunk(name_of(data), 1000, 0, b""), "blob_invalid"),
    ],
)
@runs_async
async def test_chunks_that_cannot_be_have_their_answer(premises, chunk, code) -> None:
    data = content(1000)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        assert (await refusal(mine, chunk(data))).code == "blob_invalid"  # nothing was offered yet
        await offer(ada, mine, data)
        assert (await refusal(mine, chunk(data))).code == code
        await send(mine, data)
        await ada.heard(BlobStored)


@runs_async
async def test_who_sends_without_waiting_is_stopped_and_can_go_on(premises) -> None:
    data = content(200_000)
    limits = Limits(max_blob_chunk_bytes=1000)
    async with premises.running(limits=limits) as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        await offer(ada, mine, data)
        frames = [encode_frame(mine.handle, chunk_of(data, at, at + 1000)) for at in range(0, 200_000, 1000)]
        for frame in frames:
            await ada.send_bytes(frame)
        assert (await ada.heard(Error)).code in {"limit_exceeded", "blob_invalid"}
        (gap,) = (await offer(ada, mine, data)).wanted
        assert gap.offset < len(data)
        await send(mine, data, gap.offset, size=1000)
        await ada.heard(BlobStored)


@runs_async
async def test_sizes_and_quotas_hold(premises) -> None:
    limits = Limits(max_blob_bytes=1000, max_document_blob_bytes=1500)
    async with premises.running(limits=limits) as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        assert [each.code for each in (await offer(ada, mine, content(1001))).refused] == ["limit_exceeded"]
        assert (await refusal(mine, chunk_of(content(1001), 0, 1001))).code == "limit_exceeded"
        await offer(ada, mine, content(1000))
        await send(mine, content(1000))
        answer = await offer(ada, mine, content(1000), content(501, 2), content(500, 3))
        assert [each.hash for each in answer.refused] == [name_of(content(501, 2))]
        assert [each.hash for each in answer.wanted] == [name_of(content(500, 3))]
        other = await ada.create_and_open("another")
        assert (await offer(ada, other, content(501, 2))).refused == []


@runs_async
async def test_more_at_once_than_may_be_asked_for_is_refused(premises) -> None:
    data = content(1000)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        await offer(ada, mine, data)
        await send(mine, data)
        for offset, length, code in ((0, 1001, "blob_invalid"), (1000, 1, "blob_invalid"), (0, 0, "blob_invalid")):
            order = FetchBlob(handle=mine.handle, hash=name_of(data), offset=offset, length=length)
            assert await ada.refused(order) == code
        for _ in range(50):
            await ada.send(FetchBlob(handle=mine.handle, hash=name_of(data), length=1000))
        assert await fetch(mine, name_of(data), 0, 10)


@runs_async
async def test_text_goes_on_while_a_figure_is_on_its_way(premises) -> None:
    data = content(1_000_000)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        await offer(ada, mine, data)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send(mine, data))
            for _ in range(20):
                await mine.write("x")
                await mine.acknowledged_all()
        await ada.heard(BlobStored)


@pytest.mark.expects_log
@runs_async
async def test_a_content_that_was_damaged_on_the_disk_is_set_aside_and_taken_again(premises, caplog) -> None:
    data = content(1000)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        await offer(ada, mine, data)
        await send(mine, data)
        path = premises.config.data / "blobs" / name_of(data)[:2] / name_of(data)
        path.write_bytes(bytes(1000))
        assert await ada.refused(FetchBlob(handle=mine.handle, hash=name_of(data), length=10)) == "not_found"
        assert [each.hash for each in (await offer(ada, mine, data)).wanted] == [name_of(data)]
        await send(mine, data)
        assert await fetch(mine, name_of(data), 0, 1000) == data
        assert path.with_name(path.name + ".damaged").exists()


@pytest.mark.expects_log
@runs_async
async def test_a_full_disk_is_told_and_the_upload_goes_on_when_there_is_room(premises, tmp_path, caplog) -> None:
    data = content(200_000)
    with small_disk(tmp_path, 1024) as disk:
        async with (
            premises.running(data=disk.root / "data") as place,
            signed_in_client(place.url, place.host_invite) as ada,
        ):
            mine = await ada.create_and_open("text")
            await offer(ada, mine, data)
            await send(mine, data, 0, CHUNK)
            disk.fill()
            error = await refusal(mine, chunk_of(data, CHUNK, 2 * CHUNK))
            assert (error.code, error.blob) == ("storage_unavailable", name_of(data))
            disk.make_room()
            gap = (await offer(ada, mine, data)).wanted[0]
            assert gap.offset >= CHUNK
            await send(mine, data, gap.offset)
            await ada.heard(BlobStored)
            assert await fetch(mine, name_of(data), 0, CHUNK) == data[:CHUNK]


def files_in(folder: Path) -> list[str]:
    """Name the files; what is removed meanwhile is not there."""
    return sorted(name for _root, _folders, names in os.walk(folder) for name in names)


@runs_async
async def test_what_is_not_finished_in_time_is_forgotten(premises) -> None:
    data = content(200_000)
    async with (
        premises.running(blob_unfinished_s=0.05) as place,
        signed_in_client(place.url, place.host_invite) as ada,
    ):
        mine = await ada.create_and_open("text")
        await offer(ada, mine, data)
        await send(mine, data, 0, CHUNK)
        await until(lambda: not files_in(premises.config.data / "blobs"))
        assert (await offer(ada, mine, data)).wanted[0].offset == 0


async def name_figure(opened: Opened, data: bytes | None) -> None:
    """Let the document name a figure, or name none."""
    replica = opened.replica
    if data is None:
        replica.remove_file(next(iter(replica.blob_files)))
    else:
        replica.add_blob("figure.png", BlobRef(name_of(data), len(data)))
    await opened.flush()
    await opened.acknowledged_all()


async def cared_for(server: Any, data: Path) -> None:
    """Wait until what is not named was looked for twice."""
    desk = server._blobs
    for _ in range(2):
        desk._care_at = 0.0
        await until(lambda: desk._care_at > 0.0 and not desk._is_caring)
    await asyncio.wrap_future(desk._thread.submit(lambda: None))


@runs_async
async def test_what_no_document_names_any_more_is_collected_after_a_while(premises, monkeypatch) -> None:
    monkeypatch.setattr("texswarm_server.blob_desk._STRAY_AFTER_S", -1.0)
    kept, gone = content(1000), content(1000, 2)
    now = [1000.0]
    async with (
        premises.running(blob_grace_s=100.0, wall_clock=lambda: now[0]) as place,
        signed_in_client(place.url, place.host_invite) as ada,
    ):
        folder = premises.config.data / "blobs"
        mine, other = await ada.create_and_open("text"), await ada.create_and_open("another")
        for opened, data in ((mine, kept), (mine, gone), (other, gone)):
            await offer(ada, opened, data)
            await send(opened, data)
        await name_figure(mine, kept)
        await name_figure(other, gone)
        monkeypatch.setattr("texswarm_server.blob_desk._STRAY_AFTER_S", -1e12)
        await cared_for(place.server, folder)
        now[0] += 101.0
        await cared_for(place.server, folder)
        assert files_in(folder) == sorted([name_of(kept), name_of(gone)]), "the other document names it"
        assert await ada.refused(FetchBlob(handle=mine.handle, hash=name_of(gone), length=1)) == "not_found"
        await name_figure(other, None)
        await cared_for(place.server, folder)
        now[0] += 101.0
        await cared_for(place.server, folder)
        assert files_in(folder) == [name_of(kept)]


@runs_async
async def test_a_backup_has_the_figures_and_brings_them_back(premises, tmp_path) -> None:
    data, target = content(5000), tmp_path / "backup.db"
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        document_id = mine.facts.document_id
        await offer(ada, mine, data)
        await send(mine, data)
        made = await asyncio.to_thread(backup, premises.config.data, target)
        assert (made.blobs.count, made.blobs.size_bytes, made.blobs.missing) == (1, 5000, ())
        assert (await asyncio.to_thread(backup, premises.config.data, target)).blobs.count == 1
    restored = tmp_path / "restored"
    restored.mkdir(mode=0o700)
    shutil.copy(target, restored / "texswarm.db")
    shutil.copytree(backup_folder(target), restored / "blobs")
    assert check(restored).is_sound
    async with (
        premises.running(data=restored) as place,
        signed_in_client(place.url, ada.welcome.access_token, user_id=None) as again,
    ):
        mine = await again.open(document_id)
        assert await fetch(mine, name_of(data), 0, 5000) == data


@runs_async
async def test_figures_that_a_restored_server_lacks_are_wanted_again_and_told_by_check_and_doctor(premises) -> None:
    data = content(5000)
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        mine = await ada.create_and_open("text")
        document_id = mine.facts.document_id
        await offer(ada, mine, data)
        await send(mine, data)
    path = premises.config.data / "blobs" / name_of(data)[:2] / name_of(data)
    path.write_bytes(bytes(5000))
    assert [problem.kind for problem in check(premises.config.data).problems] == ["blob_damaged"]
    path.unlink()
    assert [problem.kind for problem in check(premises.config.data).problems] == ["blob_missing"]
    assert any("1 of 1 are not in" in finding.says for finding in check_storage(premises.config.data))
    async with (
        premises.running() as place,
        signed_in_client(place.url, ada.welcome.access_token, user_id=None) as again,
    ):
        mine = await again.open(document_id)
        assert [gap.hash for gap in (await offer(again, mine, data)).wanted] == [name_of(data)]
        await send(mine, data)
        await again.heard(BlobStored)
    assert check(premises.config.data).is_sound
