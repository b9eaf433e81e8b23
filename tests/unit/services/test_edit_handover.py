"""What was typed and what arrived, on its way to the replica and to a server."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from tests.helpers.run_async import runs_async, until
from texswarm_desktop.core.outbox import OutboxRow
from texswarm_desktop.services.edit_handover import EditHandover
from texswarm_server.document.project_document import ProjectDocument
from texswarm_server.document.updates import EMPTY_UPDATE

if TYPE_CHECKING:
    from texswarm_desktop.services.replica_store import ReplicaStore


class Store:
    """Keeps rows in memory; `durable` makes what was asked to be durable so."""

    def __init__(self) -> None:
        self.rows: list[tuple[bytes, bool]] = []
        self.confirmed = 0
        self.waiting: list[Callable[[], None]] = []

    def append(self, update: bytes, edits: int, *, is_local: bool) -> int:
        self.rows.append((update, is_local))
        return len(self.rows)

    def confirm(self, row: int) -> None:
        self.confirmed = row

    def when_durable(self, call: Callable[[], None]) -> None:
        self.waiting.append(call)

    def durable(self) -> None:
        calls, self.waiting = self.waiting, []
        for call in calls:
            call()


class Desk:
    """A document whose edits are handed over to a store, and what a server is sent of them."""

    def __init__(self) -> None:
        self.store = Store()
        self.sent: list[int] = []
        self.told = 0
        self.is_disk_refusing = False
        self.edits = EditHandover(
            cast("ReplicaStore", self.store),
            on_waiting=self._tell,
            is_disk_refusing=lambda: self.is_disk_refusing,
            clock=lambda: 7.0,
        )
        self.edits.send_through(lambda _update, row: self.sent.append(row))
        self.document = ProjectDocument()
        self.document.on_update = self.edits.gather
        self.text = self.document.text(self.document.add_file("a.tex"))
        self.edits.hand_over()
        self.sent.clear()

    def _tell(self) -> None:
        self.told += 1

    def type(self, words: str) -> None:
        self.text.replace_cp(0, 0, words)


@runs_async
async def test_what_is_typed_leaves_together_and_is_in_the_store_before_it_is_sent() -> None:
    desk = Desk()
    before = len(desk.store.rows)
    desk.edits.send_through(lambda _update, row: desk.sent.append(row) if row <= len(desk.store.rows) else None)
    for letter in "abc":
        desk.type(letter)
    assert (desk.edits.oldest_since, desk.sent) == (7.0, [])
    await until(lambda: desk.sent)
    assert desk.sent == [before + 1] == [len(desk.store.rows)]


@runs_async
async def test_what_arrived_is_kept_and_sent_to_nobody() -> None:
    desk, other = Desk(), ProjectDocument()
    other.apply(desk.document.update_since())
    other.text(next(iter(other.files))).replace_cp(0, 0, "from elsewhere")
    desk.document.apply(other.update_since(desk.document.state_vector()))
    desk.edits.gather(EMPTY_UPDATE, is_local=True)
    desk.edits.hand_over()
    assert (desk.store.rows[-1][1], desk.sent) == (False, [])


@runs_async
async def test_what_another_program_wrote_is_held_back_until_it_is_durable_and_all_that_comes_after() -> None:
    desk = Desk()
    calls: list[str] = []
    desk.type("saved by an editor")
    desk.edits.hand_over_taken()
    desk.type("typed after that")
    desk.edits.hand_over()
    desk.edits.when_kept(lambda: calls.append("kept"))
    assert (desk.sent, calls) == ([], [])
    desk.store.durable()
    assert (len(desk.sent), calls) == (2, ["kept"])


@runs_async
async def test_a_disk_that_takes_nothing_keeps_it_from_nobody() -> None:
    desk = Desk()
    desk.type("saved by an editor")
    desk.edits.hand_over_taken()
    desk.is_disk_refusing = True
    desk.type("typed after that")
    desk.edits.hand_over()
    assert len(desk.sent) == 2


@runs_async
async def test_it_is_known_what_no_server_has_confirmed() -> None:
    desk = Desk()
    desk.edits.load([OutboxRow(1, 3, b"\0\0", 2.0)])
    assert (desk.edits.unconfirmed, desk.edits.last_row, desk.edits.oldest_since) == (3, 1, 2.0)
    desk.type("a")
    assert desk.edits.unconfirmed == 4
    desk.edits.hand_over()
    told = desk.told
    desk.edits.confirm(desk.edits.last_row)
    assert (desk.edits.unconfirmed, desk.edits.unconfirmed_updates, desk.edits.oldest_since) == (0, [], None)
    assert (desk.store.confirmed, desk.told) == (desk.edits.last_row, told + 1)
    desk.edits.confirm(desk.edits.last_row)
    assert desk.told == told + 1


@runs_async
async def test_without_a_server_edits_wait_and_nothing_comes_by_itself_after_the_stop() -> None:
    desk = Desk()
    desk.edits.send_through(None)
    desk.type("a")
    desk.edits.stop()
    rows = len(desk.store.rows)
    desk.edits.hand_over()
    assert (len(desk.store.rows), desk.sent, desk.edits.unconfirmed) == (rows + 1, [], desk.edits.unconfirmed)
    assert desk.edits.unconfirmed_updates[-1][0] == desk.edits.last_row
