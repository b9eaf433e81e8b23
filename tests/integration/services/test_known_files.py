"""What is known of the files on the disk is known again after any end."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from texswarm_desktop.core.reconcile import meant_by
from texswarm_desktop.core.stale_saves import FormerStates, former_state
from texswarm_desktop.services.disk_state import DiskState, digest_of
from texswarm_desktop.services.figure_record import Stamp
from texswarm_desktop.services.known_files import KnownFiles
from texswarm_desktop.services.mirrored_file import MirroredFile
from texswarm_desktop.services.replica_database import StoredReplica
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.document.project_document import FileId
from texswarm_server.document.text_format import PLAIN

ONE, OTHER = FileId("one"), FileId("other")


def file(path: str, text: str, modified_ns: int = 1) -> MirroredFile:
    return MirroredFile(path, text, PLAIN, DiskState(Stamp(7, len(text), modified_ns), 0o644, digest_of(text.encode())))


Learn = Callable[[Callable[[KnownFiles], None]], StoredReplica]


@pytest.fixture
def stored_after(tmp_path: Path, executor: ThreadPoolExecutor) -> Learn:
    """Return what the replica holds after something became known."""

    async def story(learn: Callable[[KnownFiles], None]) -> StoredReplica:
        store = ReplicaStore(tmp_path / "replica.db", executor=executor)
        await store.load(now=0.0)
        known = KnownFiles(store)
        learn(known)
        await store.flushed()
        await store.abandon()
        again = ReplicaStore(tmp_path / "replica.db", executor=executor)
        stored = await again.load(now=0.0)
        await again.abandon()
        assert stored.records == {one: file.record for one, file in known.files.items()}
        assert {one: FormerStates(tuple(states)) for one, states in stored.former.items()} == known.former
        return stored

    return lambda learn: asyncio.run(story(learn))


def test_what_was_written_and_what_it_took_the_place_of_is_known_again(stored_after: Learn) -> None:
    def learn(known: KnownFiles) -> None:
        known.know(ONE, file("a.tex", "first\n"))
        known.before(ONE, former_state("first\n", 5.0))
        known.know(ONE, file("b.tex", "second\n"))
        known.know(OTHER, file("c.tex", "other\n"))
        known.forget(OTHER)

    stored = stored_after(learn)
    assert stored.records == {ONE: file("b.tex", "second\n").record}
    assert [state.text for state in stored.former[ONE]] == ["first\n"]


def test_what_was_in_a_file_that_is_gone_is_known_when_it_comes_back(stored_after: Learn) -> None:
    """Seed 960679 of the simulated mirror: it came back, and an editor saved what it had loaded before."""

    def learn(known: KnownFiles) -> None:
        known.know(ONE, file("a.tex", "seen going\n"))
        known.let_go(ONE, 5.0)
        known.let_go_of_others({OTHER: file("b.tex", "gone at the opening\n").record}, 6.0)

    stored = stored_after(learn)
    assert stored.records == {}
    texts = {one: [state.text for state in states] for one, states in stored.former.items()}
    assert texts == {ONE: ["seen going\n"], OTHER: ["gone at the opening\n"]}


def test_a_file_that_is_back_where_it_was_to_go_is_no_stray_there(stored_after: Learn) -> None:
    """Seed 980194 of the simulated mirror: its place was known twice, and what was saved there was taken again."""

    def learn(known: KnownFiles) -> None:
        known.know_stray(ONE, file("a.tex", "old\n"))
        known.know(ONE, file("b.tex", "old\n"))
        assert sorted(known.paths.values()) == ["a.tex", "b.tex"]
        known.know_stray(ONE, file("b.tex", "old\n"))
        known.know(ONE, file("a.tex", "old and saved\n"))

    stored = stored_after(learn)
    assert {meant_by(one): record.path for one, record in stored.records.items() if one == ONE} == {ONE: "a.tex"}
    assert sorted(record.path for record in stored.records.values()) == ["a.tex", "b.tex"]


def test_a_file_that_was_written_again_as_it_was_only_looks_different(stored_after: Learn) -> None:
    def learn(known: KnownFiles) -> None:
        known.know(ONE, file("a.tex", "same\n"))
        known.written_again({"a.tex": file("a.tex", "same\n", modified_ns=9).state})
        assert known.files[ONE].state.stamp.modified_ns == 9

    stored_after(learn)


def test_texts_that_went_at_one_moment_are_both_known(stored_after: Learn) -> None:
    """At two places of one file: what is written over, and what is deleted beside it."""

    def learn(known: KnownFiles) -> None:
        known.before(ONE, former_state("written over\n", 5.0))
        known.before(ONE, former_state("deleted\n", 5.0))

    assert [state.text for state in stored_after(learn).former[ONE]] == ["written over\n", "deleted\n"]
