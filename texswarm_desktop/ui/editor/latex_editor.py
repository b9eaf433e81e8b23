"""The widget one writes in: a plain-text view of a binding's document, with colours, numbers and the others.

Undo belongs to the binding, because only the project knows whose edits are whose. Nothing that happens on a key press
looks at more than the lines in view.
"""

from typing import TYPE_CHECKING, Final, cast

from PySide6.QtCore import QMimeData, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
    QRegion,
    QResizeEvent,
    QTextCursor,
    QTextDocument,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QMenu, QPlainTextDocumentLayout, QPlainTextEdit, QWidget

from texswarm_desktop.core.latex_tokens import tokenizer_for
from texswarm_desktop.qtx.paint_pace import paint_at_once
from texswarm_desktop.qtx.timers import Pace, SingleShot
from texswarm_desktop.qtx.viewports import viewport_of
from texswarm_desktop.ui.editor.brackets import match_bracket
from texswarm_desktop.ui.editor.edit_menu import edit_menu
from texswarm_desktop.ui.editor.highlighter import LazyHighlighter
from texswarm_desktop.ui.editor.line_numbers import LineNumbers
from texswarm_desktop.ui.editor.reading_place import ReadingPlace
from texswarm_desktop.ui.editor.remote_carets import RemoteCarets
from texswarm_desktop.ui.editor.text_marks import TextMarks
from texswarm_desktop.ui.editor.text_search import Found
from texswarm_desktop.ui.editor.visible_lines import VisibleLines, visible_lines
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.ui.theme_tokens import Tokens, syntax_colors
from texswarm_desktop.viewmodels.presence_view import FilePresence
from texswarm_desktop.viewmodels.text_binding import TextBinding
from texswarm_server.document.file_text import TextChange

if TYPE_CHECKING:
    from collections.abc import Iterable

ZOOM_LIMITS: Final = (-6, 24)
_TAB_COLUMNS: Final = 4
_BRACKETS_AFTER_S: Final = 0.03
#: The others' carets are painted that often at most, however many they are.
_FRAME_S: Final = 0.016
_MOST_RECTS: Final = 64
#: Places so near to each other are painted in one go.
_NEAR_PX: Final = 24
_KEEP_ANCHOR: Final = QTextCursor.MoveMode.KeepAnchor
_LINE_BREAKS: Final = {0x2028: "\n", 0x2029: "\n", 0xFDD0: "\n", 0xFDD1: "\n", 0x00: None}
_PLAIN_MODIFIERS: Final = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
_READING: Final = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
_REMOVING: Final = (Qt.Key.Key_Backspace, Qt.Key.Key_Delete)
_ENTER: Final = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class LatexEditor(QPlainTextEdit):
    """An editor for one file.

    Signals: `place_changed(int, int)` with anchor and head (UTF-16) when this user moved the caret or the selection;
    `place_pushed(int, int)` when others' edits did; `caret_moved(int, int)` with line and column, counted from 1;
    `zoom_requested(int)` with a step up or down; `typing_refused()` when this user types where only reading is allowed.
    """

    place_changed = Signal(int, int)
    place_pushed = Signal(int, int)
    caret_moved = Signal(int, int)
    zoom_requested = Signal(int)
    typing_refused = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._binding: TextBinding | None = None
        self._presence: FilePresence | None = None
        self._highlighter: LazyHighlighter | None = None
        self._kept: ReadingPlace | None = None
        self._seen: VisibleLines | None = None
        self._seen_revision = -1
        self._numbers = LineNumbers(self, self.lines, theme.tokens)
        viewport = viewport_of(self)
        self._marks = TextMarks(viewport.update, self.lines, theme.tokens)
        self._others = RemoteCarets(viewport.update, self.lines, theme.tokens, self)
        self._others_pace = Pace(self._others.refresh, _FRAME_S, self)
        self._brackets_timer = SingleShot(self._find_brackets, self)
        self._set_up()
        self._connect()

    def _set_up(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAutoFillBackground(True)
        self.setAccessibleName("Text")
        self.setCursorWidth(2)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setUndoRedoEnabled(False)
        self.set_zoom(0)
        self._wear(self._theme.tokens)

    def _connect(self) -> None:
        self._theme.changed.connect(self._wear)
        self.blockCountChanged.connect(self._on_block_count_changed)
        self.updateRequest.connect(self._on_update_request)
        self.cursorPositionChanged.connect(self._on_cursor_position_changed)
        self.selectionChanged.connect(self._on_selection_changed)

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────

    @property
    def binding(self) -> TextBinding | None:
        """What is written in."""
        return self._binding

    def set_binding(self, binding: TextBinding, path: str) -> None:
        """Show a binding's document, coloured as the ending of `path` says."""
        self.clear_binding()
        self._binding = binding
        document = binding.document
        document.setDefaultFont(self.font())
        self.setDocument(document)
        self._set_tab_stops()
        self.set_path(path)
        binding.about_to_apply_remote.connect(self._on_binding_about_to_apply)
        binding.remote_applied.connect(self._on_binding_remote_applied)
        binding.caret_moved.connect(self._on_binding_caret_moved)
        self._on_block_count_changed()
        self._on_cursor_position_changed()

    def set_path(self, path: str) -> None:
        """Take in that the file has another name."""
        tokenizer = tokenizer_for(path)
        if self._highlighter is not None:
            self._highlighter.set_tokenizer(tokenizer)
            return
        self._highlighter = LazyHighlighter(self.document(), tokenizer, syntax_colors(self._theme.tokens))
        self._highlighter.stale.connect(self.viewport().update)

    def clear_binding(self) -> None:
        """Show nothing; needed before the binding ends."""
        if self._binding is None:
            return
        self.set_presence(None)
        self._binding.about_to_apply_remote.disconnect(self._on_binding_about_to_apply)
        self._binding.remote_applied.disconnect(self._on_binding_remote_applied)
        self._binding.caret_moved.disconnect(self._on_binding_caret_moved)
        self._binding = None
        if self._highlighter is not None:
            self._highlighter.close()
            self._highlighter.deleteLater()
            self._highlighter = None
        self._marks.set_found(Found())
        empty = QTextDocument(self)
        empty.setDocumentLayout(QPlainTextDocumentLayout(empty))
        self.setDocument(empty)

    def set_can_write(self, *, can_write: bool) -> None:
        """Let this user write, or only read; the caret stays, because others see where one reads."""
        self.setReadOnly(not can_write)
        if not can_write:
            self.setTextInteractionFlags(_READING)

    def set_presence(self, presence: FilePresence | None) -> None:
        """Show the others in this file."""
        if self._presence is not None:
            self._presence.carets_changed.disconnect(self._on_presence_carets_changed)
            self._presence.caret_told.disconnect(self._others.show_flag)
            self._others.close()
            self._others_pace.cancel()
        self._presence = presence
        if presence is not None:
            presence.carets_changed.connect(self._on_presence_carets_changed)
            presence.caret_told.connect(self._others.show_flag)
            self._on_presence_carets_changed()

    def set_found(self, found: Found, current: int = -1) -> None:
        """Mark matches, one of them as the current one (-1: none)."""
        self._marks.set_found(found, current)
        self.viewport().update()

    def set_zoom(self, zoom: int) -> None:
        """Write `zoom` pixels larger than usual."""
        font = self._theme.editor_font(zoom=zoom)
        self.setFont(font)
        self._numbers.setFont(font)
        self._set_tab_stops()
        self._on_block_count_changed()

    # ── where one is ────────────────────────────────────────────────────────────────────────────────────

    def go_to(self, position: int, anchor: int | None = None) -> None:
        """Put the caret somewhere (UTF-16) and bring it into view, not at the very edge."""
        last = self.document().characterCount() - 1
        cursor = self.textCursor()
        cursor.setPosition(min(position if anchor is None else anchor, last))
        cursor.setPosition(min(position, last), _KEEP_ANCHOR)
        was_in_view = self.viewport().rect().contains(self.cursorRect(cursor))
        self.setTextCursor(cursor)
        if not was_in_view:
            self.centerCursor()

    def replace(self, start: int, end: int, new: str) -> None:
        """Put `new` in place of a range, as if it had been typed."""
        if self.isReadOnly():
            return
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, _KEEP_ANCHOR)
        cursor.insertText(new)

    def text_between(self, start: int, end: int) -> str:
        """Return the text of a range."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, _KEEP_ANCHOR)
        return cursor.selectedText().replace("\u2029", "\n")

    def lines(self) -> VisibleLines:
        """Look at the lines in view; what was seen is kept until something about them changes."""
        revision = self.document().revision()
        if self._seen is None or self._seen_revision != revision:
            self._seen = visible_lines(self, self.firstVisibleBlock(), self.contentOffset())
            self._seen_revision = revision
        return self._seen

    def undo(self) -> None:
        """Take back this user's last edits."""
        if self._binding is not None and not self.isReadOnly():
            self._binding.undo()

    def redo(self) -> None:
        """Make again what was taken back."""
        if self._binding is not None and not self.isReadOnly():
            self._binding.redo()

    # ── changes that were not typed here ────────────────────────────────────────────────────────────────

    def _on_binding_about_to_apply(self) -> None:
        cursor, top = self.textCursor(), self.firstVisibleBlock()
        row = self.verticalScrollBar().value() - top.firstLineNumber()
        self._kept = ReadingPlace(cursor.anchor(), cursor.position(), top.position(), row)

    def _on_binding_remote_applied(self, changes: list[TextChange]) -> None:
        if self._kept is None:
            return
        kept = self._kept.moved(changes)
        cursor = self.textCursor()
        if (cursor.anchor(), cursor.position()) != (kept.anchor, kept.position):
            cursor.setPosition(kept.anchor)
            cursor.setPosition(kept.position, _KEEP_ANCHOR)
            self.setTextCursor(cursor)
        if (self._kept.anchor, self._kept.position) != (kept.anchor, kept.position):
            self.place_pushed.emit(kept.anchor, kept.position)
        top = self.document().findBlock(kept.top).firstLineNumber() + kept.row
        if top != self.verticalScrollBar().value():
            self.verticalScrollBar().setValue(top)
        self._kept = None
        self._follow_caret()

    def _on_binding_caret_moved(self, position: int) -> None:
        self.go_to(position)

    def _on_presence_carets_changed(self) -> None:
        self._others.set_carets(self._presence.carets if self._presence else {})
        self._others_pace.request()

    # ── the caret ───────────────────────────────────────────────────────────────────────────────────────

    def _on_cursor_position_changed(self) -> None:
        if self._kept is None:
            self._follow_caret()
            self._tell_place()

    def _on_selection_changed(self) -> None:
        if self._kept is None:
            self._mark_line()
            self._tell_place()

    def _follow_caret(self) -> None:
        cursor = self.textCursor()
        number = cursor.blockNumber()
        self._numbers.set_current(number)
        self._mark_line()
        self._marks.set_brackets(())
        self._brackets_timer.start(_BRACKETS_AFTER_S)
        self.caret_moved.emit(number + 1, cursor.positionInBlock() + 1)

    def _tell_place(self) -> None:
        cursor = self.textCursor()
        self.place_changed.emit(cursor.anchor(), cursor.position())

    def _mark_line(self) -> None:
        caret = self.cursorRect()
        line = QRect(0, caret.top(), self.viewport().width(), caret.height())
        self._marks.set_line(QRect() if self.textCursor().hasSelection() else line)

    def _find_brackets(self) -> None:
        cursor, document = self.textCursor(), self.document()

        def line_at(number: int) -> str | None:
            block = document.findBlockByNumber(number)
            return block.text() if block.isValid() else None

        found = match_bracket(line_at, cursor.blockNumber(), cursor.positionInBlock())
        places = [document.findBlockByNumber(line).position() + column for line, column in found or ()]
        self._marks.set_brackets(tuple(places))

    # ── looks ───────────────────────────────────────────────────────────────────────────────────────────

    def _wear(self, tokens: Tokens) -> None:
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(tokens.editor))
        palette.setColor(QPalette.ColorRole.Base, QColor(tokens.editor))
        palette.setColor(QPalette.ColorRole.Text, QColor(tokens.text))
        palette.setColor(QPalette.ColorRole.Highlight, QColor(tokens.selection))
        palette.setColor(QPalette.ColorRole.HighlightedText, QColor(tokens.text))
        self.setPalette(palette)
        self.viewport().setPalette(palette)  # with a style sheet in force it does not inherit a second time
        self._numbers.set_tokens(tokens)
        self._marks.set_tokens(tokens)
        self._others.set_tokens(tokens)
        if self._highlighter is not None:
            self._highlighter.set_colors(syntax_colors(tokens))

    def _set_tab_stops(self) -> None:
        self.setTabStopDistance(_TAB_COLUMNS * self.fontMetrics().horizontalAdvance(" "))

    def _on_block_count_changed(self, _count: int = 0) -> None:
        width = self._numbers.width_for(self.blockCount(), self.font())
        if width != self.viewportMargins().left():
            self.setViewportMargins(width, 6, 0, 0)
            self._place_numbers()
        self._numbers.update()

    def _place_numbers(self) -> None:
        area = self.contentsRect()
        margins = self.viewportMargins()
        self._numbers.setGeometry(
            area.left(), area.top() + margins.top(), margins.left(), area.height() - margins.top()
        )

    def _on_update_request(self, _area: QRect, dy: int) -> None:
        self._seen = None
        if dy:
            self._numbers.scroll(0, dy)
            self._others.scrolled(dy)

    def _paint_under(self, painter: QPainter, area: QRect, lines: VisibleLines) -> None:
        self._marks.paint_line(painter, area)
        if not self._others.is_empty:
            self._others.paint_selections(painter, lines)
        self._marks.paint_places(painter, lines)

    def _scroll_zoom(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y()
        if steps:
            self.zoom_requested.emit(1 if steps > 0 else -1)
        event.accept()

    def _context_menu(self) -> QMenu:
        text = self._binding.file_text if self._binding is not None and not self.isReadOnly() else None
        return edit_menu(self, can_undo=bool(text and text.can_undo), can_redo=bool(text and text.can_redo))

    # ── Qt ──────────────────────────────────────────────────────────────────────────────────────────────

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what is under the text, the text, and who is over it."""
        lines = self.lines()
        if self._highlighter is not None and lines.lines:
            self._highlighter.color(lines.lines[0].block, lines.lines[-1].number)
        if self._numbers.follow(lines) and event.rect() != self.viewport().rect():
            self.viewport().update()  # a letter of another height has moved the lines below
        under = QPainter(self.viewport())
        under.setClipRect(event.rect())
        self._paint_under(under, event.rect(), lines)
        under.end()
        for band in bands(event.region()):
            super().paintEvent(QPaintEvent(band))
        if not self._others.is_empty:
            over = QPainter(self.viewport())
            over.setClipRect(event.rect())
            self._others.paint_carets(over, lines, event.region())
            over.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the numbers beside the text."""
        super().resizeEvent(event)
        self._seen = None
        self._place_numbers()
        self._mark_line()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Keep the current line where its caret is."""
        super().scrollContentsBy(dx, dy)
        self._mark_line()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take over undo, redo and line breaks from Qt; everything else is Qt's."""
        if self.isReadOnly() and _would_write(event):
            self.typing_refused.emit()
            return
        if event.modifiers() not in _PLAIN_MODIFIERS:
            if event.matches(QKeySequence.StandardKey.Undo):
                self.undo()
                return
            if event.matches(QKeySequence.StandardKey.Redo):
                self.redo()
                return
            if event.key() in _ENTER and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.textCursor().insertText("\n")
                self.ensureCursorVisible()
                return
        super().keyPressEvent(event)
        paint_at_once(self)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Show at once what was written with several keys."""
        super().inputMethodEvent(event)
        paint_at_once(self)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste plain text, with line breaks as ours."""
        if self.isReadOnly():
            self.typing_refused.emit()
            return
        text = source.text().replace("\r\n", "\n").replace("\r", "\n").translate(_LINE_BREAKS)
        if text:
            self.textCursor().insertText(text)
            self.ensureCursorVisible()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom with Ctrl, scroll without."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._scroll_zoom(event)
        else:
            super().wheelEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Show a menu, without waiting for it."""
        self._context_menu().popup(QPoint(event.globalPos()))


def bands(region: QRegion) -> list[QRect]:
    """Return rectangles one below the other that cover a region; one for all of it when they would be many.

    Qt lays hands on each line between the highest and the lowest place that it is to paint.
    """
    if region.rectCount() > _MOST_RECTS:
        return [region.boundingRect()]
    found: list[QRect] = []
    for rect in cast("Iterable[QRect]", region):
        if found and rect.top() <= found[-1].bottom() + _NEAR_PX:
            found[-1] = found[-1].united(rect)
        else:
            found.append(QRect(rect))
    return found


def _would_write(event: QKeyEvent) -> bool:
    """Say whether a key press is meant to change the text."""
    keys = QKeySequence.StandardKey
    if any(event.matches(key) for key in (keys.Undo, keys.Redo, keys.Cut, keys.Paste)):
        return True
    is_command = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier)
    if event.key() in (*_ENTER, *_REMOVING):
        return True
    return not is_command and event.text().isprintable() and bool(event.text())
