"""Typing a whole paper through the editor binding, against the CRDT alone in the same run."""

import time
from collections.abc import Callable

import pycrdt
import pytest
from PySide6.QtGui import QTextCursor

from tests.benchmarks.report import report
from tests.benchmarks.traces import Trace, sequential_trace
from texswarm_desktop.viewmodels.text_binding import TextBinding
from texswarm_server.document import ProjectDocument

pytestmark = pytest.mark.benchmark
REQUIRED_RATIO = 0.4


def type_into_crdt(trace: Trace) -> str:
    document = pycrdt.Doc()
    text = document.get("text", type=pycrdt.Text)
    updates: list[bytes] = []
    document.observe(lambda event: updates.append(event.update))
    for position, deleted, inserted in trace.patches:
        with document.transaction():
            if deleted:
                del text[position : position + deleted]
            if inserted:
                text.insert(position, inserted)
    return str(text)


def type_into_binding(trace: Trace) -> str:
    project, updates = ProjectDocument(), list[bytes]()
    project.on_update = lambda update, is_local: updates.append(update)
    text = project.text(project.add_file("main.tex"))
    cursor = TextBinding(text).cursor()
    for position, deleted, inserted in trace.patches:
        cursor.setPosition(position)
        if deleted:
            cursor.setPosition(position + deleted, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
        if inserted:
            cursor.insertText(inserted)
    assert len(updates) >= len(trace.patches)
    return str(text)


def us_per_edit(typing: Callable[[Trace], str], trace: Trace) -> float:
    started = time.perf_counter()
    assert typing(trace) == trace.end
    return (time.perf_counter() - started) / len(trace.patches) * 1e6


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("qapp")
def test_typing_a_paper_keeps_up_with_the_crdt() -> None:
    trace = sequential_trace("automerge-paper")
    alone, bound = [], []
    for _ in range(3):
        alone.append(us_per_edit(type_into_crdt, trace))
        bound.append(us_per_edit(type_into_binding, trace))
    ratio = min(alone) / min(bound)
    report("typing automerge-paper", crdt_us=min(alone), binding_us=min(bound), ratio=ratio)

    assert ratio >= REQUIRED_RATIO
