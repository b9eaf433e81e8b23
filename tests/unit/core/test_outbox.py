from texswarm_desktop.core.outbox import Outbox, OutboxRow, folded, in_portions, merge_many
from texswarm_server.document import ProjectDocument


def typed(count: int) -> tuple[str, list[bytes]]:
    document, updates = ProjectDocument(), []
    document.on_update = lambda update, _: updates.append(update)
    text = document.text(document.add_file("main.tex"))
    for number in range(count):
        text.replace_cp(number, number, "ab\n"[number % 3])
    return str(text), updates


def read(updates: list[bytes]) -> str:
    document = ProjectDocument()
    for update in updates:
        document.apply(update)
    (file_id,) = document.files
    return str(document.text(file_id))


def test_many_updates_become_one_that_says_the_same() -> None:
    text, updates = typed(500)
    assert read([merge_many(updates)]) == text


def test_edits_are_counted_until_their_row_is_confirmed() -> None:
    outbox = Outbox([OutboxRow(3, 2, b"a", 1.0), OutboxRow(5, 1, b"b", 2.0)])
    outbox.add(OutboxRow(6, 4, b"c", 3.0))
    assert (outbox.edits, outbox.oldest_since, outbox.last_row) == (7, 1.0, 6)
    assert outbox.acknowledge(5)
    assert (outbox.edits, outbox.oldest_since, outbox.updates) == (4, 3.0, [(6, b"c")])
    assert not outbox.acknowledge(5)
    assert outbox.acknowledge(6)
    assert (outbox.edits, outbox.oldest_since, outbox.updates, outbox.last_row) == (0, None, [], 6)


def test_rows_that_nobody_confirms_become_fewer() -> None:
    text, updates = typed(5000)
    outbox = Outbox()
    for number, update in enumerate(updates, start=1):
        outbox.add(OutboxRow(number, 1, update, float(number)))
    assert len(outbox.updates) < 2500
    assert (outbox.edits, outbox.oldest_since, outbox.last_row) == (len(updates), 1.0, len(updates))
    assert read([update for _, update in outbox.updates]) == text


def test_folding_keeps_number_count_and_age() -> None:
    _, updates = typed(3)
    rows = [OutboxRow(number, 1, update, float(number)) for number, update in enumerate(updates)]
    (one,) = folded(rows)
    assert (one.row, one.edits, one.since) == (len(updates) - 1, len(updates), 0.0)


def test_portions_keep_the_limit_where_they_can() -> None:
    assert in_portions([b"aa", b"b", b"cccc", b"d"], 3) == [[b"aa", b"b"], [b"cccc"], [b"d"]]
    assert in_portions([]) == []
