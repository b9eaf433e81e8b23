"""Find and replace in the text that is worked on, as a bar above it.

The search is made a moment after the last key press and again a moment after the text changed, never on a key press.
"""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextDocument
from PySide6.QtWidgets import QFrame, QLineEdit, QToolButton, QWidget

from texswarm_desktop.qtx.timers import SingleShot
from texswarm_desktop.ui.editor.latex_editor import LatexEditor
from texswarm_desktop.ui.editor.text_search import Found, Search, find_all, replacement
from texswarm_desktop.ui.parts import IconButton, button, column, label, restyle, row
from texswarm_desktop.ui.theme import Theme

_AFTER_TYPING_S: Final = 0.06
#: A text that is searched in a few milliseconds is searched again soon, a book when the typing pauses.
_AFTER_CHANGE_S: Final = 0.06
_AFTER_PAUSE_S: Final = 0.5
_SHORT_U16: Final = 300_000
_FIELD_PX: Final = 280


class FindBar(QFrame):
    """Finds in one editor at a time. Signal: `closed()`, when the text should get the focus back."""

    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("FindBar")
        self._editor: LatexEditor | None = None
        self._document: QTextDocument | None = None
        self._found = Found()
        self._current = -1
        self._wanted = _field("Find")
        self._new = _field("Replace with")
        self._case = _toggle("Aa", "Match case")
        self._regex = _toggle(".*", "Regular expression")
        self._count = label(name="Hint")
        self._count.setMinimumWidth(96)
        self._timer = SingleShot(self._search, self)
        self._lay_out(theme)
        self._connect()
        self.hide()

    def _lay_out(self, theme: Theme) -> None:
        self._previous = IconButton(theme, "arrow-up", "Previous match (Shift+Enter)")
        self._next = IconButton(theme, "arrow-down", "Next match (Enter)")
        self._close = IconButton(theme, "close", "Close (Esc)")
        self._one, self._all = button("Replace"), button("Replace all")
        find_row, replace_row = QWidget(), QWidget()
        find = (self._wanted, self._case, self._regex, 4, self._previous, self._next, 4, self._count, None, self._close)
        find_row.setLayout(row(*find, gap=4))
        replace_row.setLayout(row(self._new, self._one, self._all, None, gap=6))
        self._replace_row = replace_row
        self.setLayout(column(find_row, replace_row, margins=(14, 6, 8, 6), gap=6))

    def _connect(self) -> None:
        self._wanted.textEdited.connect(self._on_search_edited)
        self._case.toggled.connect(self._on_search_edited)
        self._regex.toggled.connect(self._on_search_edited)
        self._next.clicked.connect(self.find_next)
        self._previous.clicked.connect(self.find_previous)
        self._close.clicked.connect(self.close_bar)
        self._one.clicked.connect(self.replace_one)
        self._all.clicked.connect(self.replace_all)
        self._new.returnPressed.connect(self.replace_one)

    # ── opening and closing ─────────────────────────────────────────────────────────────────────────────

    def open_bar(self, *, with_replace: bool = False) -> None:
        """Show the bar, looking for what is selected."""
        self._replace_row.setVisible(with_replace)
        if self._editor is not None:
            selected = self._editor.textCursor().selectedText()
            if selected and "\u2029" not in selected:
                self._wanted.setText(selected)
        self.show()
        self._wanted.selectAll()
        self._wanted.setFocus()
        self._search()

    def close_bar(self) -> None:
        """Hide the bar and the marks."""
        self._timer.stop()
        self.hide()
        if self._editor is not None:
            self._editor.set_found(Found())
        self.closed.emit()

    def set_editor(self, editor: LatexEditor | None) -> None:
        """Look in another text."""
        if self._document is not None:
            self._document.contentsChanged.disconnect(self._on_document_contents_changed)
        if self._editor is not None:
            self._editor.set_found(Found())
        self._editor = editor
        self._document = editor.document() if editor is not None else None
        if self._document is not None:
            self._document.contentsChanged.connect(self._on_document_contents_changed)
        if self.isVisible():
            self._search()

    @property
    def count_words(self) -> str:
        """What is said about the number of matches."""
        return self._count.text()

    # ── finding ─────────────────────────────────────────────────────────────────────────────────────────

    def look_for(self, search: Search) -> None:
        """Look for something, at once."""
        self._wanted.setText(search.wanted)
        self._case.setChecked(search.match_case)
        self._regex.setChecked(search.is_regex)
        self._search()

    def look_again(self) -> None:
        """Take in that the text may be written in, or no longer."""
        if self.isVisible():
            self._search()

    def find_next(self) -> None:
        """Go to the next match; from the start again at the end."""
        self._catch_up()
        if self._editor is not None:
            cursor = self._editor.textCursor()
            here = (cursor.selectionStart(), cursor.selectionEnd())
            self._go_to(self._found.after(cursor.selectionStart() + (here in self._found.spans)))

    def find_previous(self) -> None:
        """Go to the match before; from the end again at the start."""
        self._catch_up()
        if self._editor is not None:
            self._go_to(self._found.before(self._editor.textCursor().selectionStart()))

    def _go_to(self, number: int | None) -> None:
        if number is None or self._editor is None:
            return
        start, end = self._found.spans[number]
        self._current = number
        self._editor.go_to(end, anchor=start)
        self._show_found()

    def _search(self) -> None:
        self._timer.stop()
        editor = self._editor
        if editor is None:
            return
        self._found = find_all(editor.toPlainText(), self._wanted_search())
        at = editor.textCursor().selectionStart()
        number = self._found.after(at)
        self._current = number if number is not None and self._found.spans[number][0] == at else -1
        self._show_found()

    def _catch_up(self) -> None:
        if self._timer.is_running or not self.isVisible():
            self._search()

    def _wanted_search(self) -> Search:
        return Search(self._wanted.text(), match_case=self._case.isChecked(), is_regex=self._regex.isChecked())

    def _show_found(self) -> None:
        if self._editor is not None and self.isVisible():
            self._editor.set_found(self._found, self._current)
        self._count.setText(count_words(self._wanted_search(), self._found, self._current))
        self._wanted.setToolTip(self._found.problem)
        is_problem = bool(self._found.problem)
        if self._wanted.property("problem") != is_problem:
            self._wanted.setProperty("problem", is_problem)
            restyle(self._wanted)
        can_write = self._editor is not None and not self._editor.isReadOnly()
        finders: tuple[QWidget, ...] = (self._previous, self._next)
        for one in (*finders, self._one, self._all):
            one.setEnabled(bool(self._found.spans) and (can_write or one in finders))

    # ── replacing ───────────────────────────────────────────────────────────────────────────────────────

    def replace_one(self) -> None:
        """Replace the match that is selected and go to the next; if none is selected, only go."""
        self._catch_up()
        editor = self._editor
        if editor is None or editor.isReadOnly() or not self._found.spans:
            return
        cursor = editor.textCursor()
        here = (cursor.selectionStart(), cursor.selectionEnd())
        if here in self._found.spans:
            matched = editor.text_between(*here)
            editor.replace(*here, replacement(matched, self._wanted_search(), self._new.text()))
            self._search()
        self.find_next()

    def replace_all(self) -> None:
        """Replace every match, each as an edit of its own: what others type between them stays where it is."""
        self._catch_up()
        editor = self._editor
        if editor is None or editor.isReadOnly():
            return
        search, new = self._wanted_search(), self._new.text()
        spans = self._found.spans
        for start, end in reversed(spans):
            matched = editor.text_between(start, end) if search.is_regex else ""
            editor.replace(start, end, replacement(matched, search, new))
        self._search()
        self._count.setText(f"{len(spans):,} replaced")

    # ── what happens ────────────────────────────────────────────────────────────────────────────────────

    def _on_search_edited(self) -> None:
        self._timer.start(_AFTER_TYPING_S)

    def _on_document_contents_changed(self) -> None:
        if not self.isVisible() or self._document is None:
            return
        if self._document.characterCount() > _SHORT_U16:
            self._timer.start(_AFTER_PAUSE_S)
        elif not self._timer.is_running:
            self._timer.start(_AFTER_CHANGE_S)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Shift+Enter go on and back, Esc closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_bar()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._wanted.hasFocus():
            is_back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.find_previous() if is_back else self.find_next()
        else:
            super().keyPressEvent(event)


def count_words(search: Search, found: Found, current: int) -> str:
    """Return what is said about the number of matches."""
    if not search.wanted:
        return ""
    if found.problem:
        return "Not an expression"
    if not found.spans:
        return "No matches"
    total = f"{len(found.spans):,}{'+' if found.is_cut else ''}"
    return f"{current + 1:,} of {total}" if current >= 0 else f"{total} match{'' if total == '1' else 'es'}"


def _field(hint: str) -> QLineEdit:
    field = QLineEdit()
    field.setPlaceholderText(hint)
    field.setAccessibleName(hint)
    field.setMinimumWidth(220)
    field.setMaximumWidth(_FIELD_PX)
    return field


def _toggle(text: str, tooltip: str) -> QToolButton:
    made = QToolButton()
    made.setText(text)
    made.setCheckable(True)
    made.setToolTip(tooltip)
    made.setAccessibleName(tooltip)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made
