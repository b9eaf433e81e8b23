"""Figures in the window: looked at in the place of an editor, and seen on their way."""

import time
from hashlib import sha256
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage

from tests.helpers.desk import Desk
from texswarm_desktop.core.figure_travel import Progress
from texswarm_desktop.ui.sizes import size_words, transfer_words
from texswarm_desktop.viewmodels.figure_view import TransferFacts
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.protocol.ids import BlobHash


class Contents:
    """Where contents are: all of them are here, and something travels as a test says."""

    def __init__(self) -> None:
        self.sending: Progress | None = None
        self.fetching: Progress | None = None
        self.missing: set[BlobRef] = set()

    def is_here(self, blob: BlobRef) -> bool:
        return blob not in self.missing


def add_figure(desk: Desk, path: str, data: bytes, *, is_there: bool = True) -> str:
    if is_there:
        (desk.project.folder / path).write_bytes(data)
    return desk.project.document.add_blob(path, BlobRef(BlobHash(sha256(data).hexdigest()), len(data)))


def png(folder: Path, width: int = 64, height: int = 48) -> bytes:
    """A small image: from a hundred lines on Qt paints in threads of its own, which it keeps for a while."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("#336699"))
    path = folder / "made.png"
    assert image.save(str(path))
    data = path.read_bytes()
    path.unlink()
    return data


@pytest.fixture
def desk(new_desk, tmp_path) -> Desk:
    desk = new_desk()
    desk.open({"main.tex": "Hello"}, folder=tmp_path)
    desk.project.blobs = Contents()
    return desk


def test_an_image_is_shown_with_name_size_and_pixels(desk, tmp_path) -> None:
    data = png(tmp_path)
    desk.view.open_file(add_figure(desk, "plot.png", data))
    page = desk.page.area.figure_page
    assert page is not None
    assert page.has_image
    assert page.words == f"plot.png {len(data)} B · 64 × 48"
    assert desk.page.area.editor is None
    assert desk.page.area.tab_texts == ["main.tex", "plot.png"]


def test_what_is_no_image_is_named_and_can_be_opened_outside(desk) -> None:
    desk.view.open_file(add_figure(desk, "plot.pdf", b"%PDF-1.4 nothing"))
    page = desk.page.area.figure_page
    assert page is not None
    assert not page.has_image
    assert "plot.pdf 16 B" in page.words
    assert not page._open.isHidden()


def test_a_figure_that_has_not_arrived_says_so_and_is_shown_when_it_does(desk, tmp_path) -> None:
    data = png(tmp_path)
    desk.view.open_file(add_figure(desk, "plot.png", data, is_there=False))
    page = desk.page.area.figure_page
    assert page is not None
    assert "not arrived" in page.words
    assert page._open.isHidden()
    (tmp_path / "plot.png").write_bytes(data)
    desk.project._tell("transfers_changed")
    assert page.has_image


def test_a_figure_that_changes_is_shown_as_it_is_now(desk, tmp_path) -> None:
    file_id = add_figure(desk, "plot.png", png(tmp_path))
    desk.view.open_file(file_id)
    data = png(tmp_path, 50, 40)
    (tmp_path / "plot.png").write_bytes(data)
    desk.project.document.set_blob(file_id, BlobRef(BlobHash(sha256(data).hexdigest()), len(data)))
    assert "50 × 40" in desk.page.area.figure_page.words


def test_a_figure_can_be_renamed_closed_and_removed_while_it_is_open(desk, tmp_path) -> None:
    file_id = add_figure(desk, "plot.png", png(tmp_path))
    desk.view.open_file(file_id)
    desk.view.rename_file(file_id, "graph.png")
    assert desk.page.area.tab_texts == ["main.tex", "graph.png"]
    desk.project.document.remove_file(file_id)
    assert desk.page.area.tab_texts == ["main.tex", "graph.png (removed)"]
    desk.view.close_file(file_id)
    assert desk.page.area.figure_page is None
    assert desk.page.area.editor is not None


def test_a_damaged_image_is_no_reason_to_fail(desk) -> None:
    desk.view.open_file(add_figure(desk, "plot.png", b"\x89PNG\r\n\x1a\n" + bytes(50)))
    assert not desk.page.area.figure_page.has_image


def test_files_that_travel_for_longer_than_a_second_are_seen(desk) -> None:
    contents, bar = desk.project.blobs, desk.window.status_bar
    contents.sending = Progress(1024**2, 20 * 1024**2, 1, time.monotonic())
    desk.project._tell("transfers_changed")
    assert bar.transfer == ""
    contents.sending = Progress(2 * 1024**2, 20 * 1024**2, 1, time.monotonic() - 2)
    desk.project._tell("transfers_changed")
    assert "Sending a figure: 2.0 MB of 20 MB" in bar.transfer
    contents.sending = None
    desk.project._tell("transfers_changed")
    assert bar.transfer == ""


def test_both_directions_have_their_words() -> None:
    facts = TransferFacts(Progress(0, 1024, 2, 0.0), Progress(10, 2048, 1, 0.0))
    assert transfer_words(facts) == "Sending 2 figures: 0 B of 1.0 kB · Fetching a figure: 10 B of 2.0 kB"
    assert transfer_words(None) == ""


@pytest.mark.parametrize(("count", "words"), [(0, "0 B"), (1023, "1.0 kB"), (50 * 1024**2, "50 MB"), (1536, "1.5 kB")])
def test_sizes_have_three_digits_at_most(count: int, words: str) -> None:
    assert size_words(count) == words
