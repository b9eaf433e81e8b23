"""A real desktop that a test drives from another process, by JSON lines: `python -m tests.helpers.desktop_child`.

The desktop is the one people start, from its own composition root; only the hand on the keyboard is replaced. Orders
come in on standard input as `{"id": 1, "do": "type", …}`, answers go out on standard output with the same id.
"""

import asyncio
import json
import os
import random
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow, QMessageBox, QPlainTextEdit

from texswarm_desktop.__main__ import parser
from texswarm_desktop.app import Desktop, run
from texswarm_server.protocol.invite_link import parse_invite_link

#: A host in a test or a demonstration is not for the network, unless the network is the test's own.
LOOPBACK = "127.0.0.1"
HOST_ADDRESS = "TEXSWARM_TEST_HOST_ADDRESS"
_PAINT_LIMIT_S = 10.0


class DialogWatch(QObject):
    """Counts dialogs that appear: none may, for anything the program can mend by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.Show and isinstance(watched, QDialog | QMessageBox):
            self.seen.append(f"{type(watched).__name__}: {watched.windowTitle()}")
        return False


class PaintWatch(QObject):
    """Notes when a text was painted for the first time after `count` had grown; monotonic seconds."""

    def __init__(self, editor: QPlainTextEdit, count: Callable[[], int]) -> None:
        super().__init__()
        self._editor = editor
        self._count, self._from = count, count()
        self.painted_at: float | None = None
        self.painted = threading.Event()
        editor.viewport().installEventFilter(self)

    def begin(self) -> None:
        self._from, self.painted_at = self._count(), None
        self.painted.clear()

    def end(self) -> None:
        self._editor.viewport().removeEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() != QEvent.Type.Paint or self.painted_at is not None or self._count() <= self._from:
            return False
        self._editor.viewportEvent(event)
        self.painted_at = time.monotonic()
        self.painted.set()
        return True


class Keyboard(QObject):
    """Presses a key again and again, from a thread of its own, each when the one before is on the screen."""

    def __init__(self, editor: QPlainTextEdit, presses: int, pause_s: float) -> None:
        super().__init__()
        self._editor, self._presses, self._pause_s = editor, presses, pause_s
        self._chance = random.Random(presses)
        self._arrived = 0
        self._watch = PaintWatch(editor, lambda: self._arrived)
        editor.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
        self._arrived += event.type() == QEvent.Type.KeyPress
        return False

    def press_all(self) -> list[float]:
        """Return the seconds from each key press to its paint. In a thread."""
        return [self._press() for _ in range(self._presses)]

    def end(self) -> None:
        self._watch.end()
        self._editor.removeEventFilter(self)

    def _press(self) -> float:
        time.sleep(self._chance.uniform(0.5, 1.5) * self._pause_s)
        self._watch.begin()
        key = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, "a")
        at = time.monotonic()
        QCoreApplication.postEvent(self._editor, key)
        assert self._watch.painted.wait(_PAINT_LIMIT_S)
        assert self._watch.painted_at is not None
        return self._watch.painted_at - at


class Hand:
    """Carries out orders on a running desktop."""

    def __init__(self, desktop: Desktop) -> None:
        self.desktop = desktop
        self.dialogs = DialogWatch()
        self.transcript: list[tuple[float, str, str]] = []
        self.paint: PaintWatch | None = None
        QApplication.instance().installEventFilter(self.dialogs)
        self._note(desktop.status.line)
        desktop.status.line_changed.connect(self._note)

    def _note(self, line: Any) -> None:
        self.transcript.append((time.monotonic(), line.whole, line.tone.value))

    @property
    def project(self) -> Any:
        opened = self.desktop.workspace.opened
        assert opened is not None, "no project is open"
        return opened

    def _editor(self) -> Any:
        editor = self.desktop.editor
        assert editor is not None, "no file is open"
        return editor

    def _text(self, path: str | None) -> Any:
        document = self.project.document
        file_id = document.file_at(path) if path else self.project.view.current
        assert file_id is not None, f"no file {path!r}"
        return document.text(file_id)

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────

    async def ready(self) -> bool:
        return self.desktop.workspace.opened is not None and self.desktop.editor is not None

    async def type(self, text: str) -> float:
        editor, at = self._editor(), time.monotonic()
        for character in text:
            key = Qt.Key.Key_Return if character == "\n" else Qt.Key.Key_unknown
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                event = QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, "\r" if character == "\n" else character)
                QApplication.sendEvent(editor, event)
        return at

    async def backspace(self, times: int) -> None:
        for _ in range(times):
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                QApplication.sendEvent(
                    self._editor(), QKeyEvent(kind, Qt.Key.Key_Backspace, Qt.KeyboardModifier.NoModifier, "\b")
                )

    async def caret(self, line: int | None = None, end: bool = True) -> int:
        """Put the caret at the end (or start) of a line, counted from 0; of the text without one."""
        editor = self._editor()
        cursor = editor.textCursor()
        if line is None:
            cursor.movePosition(QTextCursor.MoveOperation.End if end else QTextCursor.MoveOperation.Start)
        else:
            block = editor.document().findBlockByNumber(line % editor.document().blockCount())
            cursor.setPosition(block.position() + (block.length() - 1 if end else 0))
        editor.setTextCursor(cursor)
        return int(cursor.position())

    async def undo(self) -> None:
        self.project.view.binding(self.project.view.current).undo()

    async def open(self, path: str) -> None:
        file_id = self.project.document.file_at(path)
        assert file_id is not None, f"no file {path!r}"
        self.project.view.open_file(file_id)

    async def text(self, path: str | None = None) -> str:
        return str(self._text(path))

    async def screen(self) -> str:
        cursor = QTextCursor(self._editor().document())
        cursor.select(QTextCursor.SelectionType.Document)
        return cursor.selectedText().replace("\u2029", "\n")

    async def files(self) -> dict[str, str]:
        document = self.project.document
        return {entry.path: str(document.text(file_id)) for file_id, entry in document.files.items()}

    async def folder(self) -> str:
        return str(self.project.project.folder)

    async def status(self) -> dict[str, Any]:
        line, project = self.desktop.status.line, self.project.project
        return {
            "text": line.whole,
            "tone": line.tone.value,
            "unacknowledged": project.unacknowledged(),
            "document": project.document_id,
            "dialogs": self.dialogs.seen,
            "participants": [[row.person.name, row.state] for row in self.project.participants.rows],
        }

    async def history(self) -> list[tuple[float, str, str]]:
        return self.transcript

    async def flush(self) -> None:
        await self.project.project.flush()

    async def store(self) -> None:
        """Wait until what was typed is in the local replica: the least that survives a killed program."""
        await self.project.project.kept()

    async def host(self) -> dict[str, Any]:
        link = await self.desktop.workspace.host()
        return {"link": link}

    async def share(self, link: str) -> None:
        await self.desktop.workspace.share_at(parse_invite_link(link))

    async def retry(self) -> None:
        self.desktop.status.retry_now()

    async def busy(self, seconds: float) -> None:
        """Keep the window's thread busy in Python, as a slow part of the program would, from the next turn on."""

        def work() -> None:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                sum(range(200))

        QTimer.singleShot(0, work)

    async def own_keys(self, count: int, pause_s: float, empty: bool = False) -> list[float]:
        """Press keys in the editor, or in an empty widget of Qt, and return the seconds from each to its paint.

        They come as from a keyboard, whatever the window is busy with. The first is not counted: a new window may be
        painted on its own account.
        """
        widget: Any = QPlainTextEdit() if empty else self._editor()
        if empty:
            window = QMainWindow()
            window.setCentralWidget(widget)
            window.resize(self._editor().size())
            window.show()
        application = QApplication.instance()
        application.removeEventFilter(self.dialogs)  # it looks at every event of the program
        keyboard = Keyboard(widget, count + 1, pause_s)
        seen = await asyncio.get_running_loop().run_in_executor(None, keyboard.press_all)
        keyboard.end()
        application.installEventFilter(self.dialogs)
        if empty:
            window.close()
            window.deleteLater()
        return seen[1:]

    async def paints_from_here(self) -> float:
        """Look out for the first paint of a text longer than now."""
        if self.paint is None:
            editor = self._editor()
            self.paint = PaintWatch(editor, lambda: int(editor.document().characterCount()))
        self.paint.begin()
        return time.monotonic()

    async def painted_since(self) -> float | None:
        return self.paint.painted_at if self.paint else None

    async def size(self, width: int, height: int) -> None:
        self.desktop.window.resize(width, height)

    async def place(self) -> int:
        """Return where this user's caret is in the file in front (UTF-16)."""
        return int(self._editor().textCursor().position())

    async def carets(self) -> dict[str, int]:
        """Return where this user sees the others in the file in front, by name (UTF-16)."""
        presence = self._editor()._presence
        return {caret.person.name: caret.head_u16 for caret in presence.carets.values()} if presence else {}

    async def minimise(self) -> None:
        self.desktop.window.showMinimized()

    async def is_seen(self) -> bool:
        return not self.desktop.window.isMinimized() and self.desktop.window.isVisible()

    async def focus(self) -> None:
        """Come to the front with the keyboard in the text."""
        self.desktop.window.activateWindow()
        self._editor().setFocus()

    async def theme(self, name: str) -> None:
        self.desktop.set_theme(name)

    async def grab(self, path: str) -> None:
        assert self.desktop.window.grab().save(path)

    async def quit(self) -> None:
        self.desktop.window.close()


async def serve(desktop: Desktop) -> None:
    """Carry out orders, one after another, until standard input ends."""
    orders: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(orders.put_nowait, json.loads(line))
        loop.call_soon_threadsafe(orders.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    hand = Hand(desktop)
    answer({"id": 0, "ok": os.getpid()})
    while (order := await orders.get()) is not None:
        number, name = order.pop("id"), order.pop("do")
        try:
            work: Callable[..., Awaitable[Any]] = getattr(hand, name)
            answer({"id": number, "ok": await work(**order)})
        except Exception as error:
            answer({"id": number, "error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()})
    desktop.window.close()


def answer(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    options = parser().parse_args()
    folder = options.profile_dir or Path.cwd()
    address = os.environ.get(HOST_ADDRESS, LOOPBACK)
    sys.exit(run(target=options.target, profile_dir=folder, companion=serve, host_address=address))
