"""The menu over a text: what can be done with it now."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QPlainTextEdit

_Keys = QKeySequence.StandardKey


def edit_menu(editor: QPlainTextEdit, *, can_undo: bool, can_redo: bool) -> QMenu:
    """Return a menu that acts on `editor`, and goes when it is closed."""
    menu = QMenu(editor)
    has_selection, can_write = editor.textCursor().hasSelection(), not editor.isReadOnly()
    offers = (
        ("Undo", editor.undo, _Keys.Undo, can_undo),
        ("Redo", editor.redo, _Keys.Redo, can_redo),
        None,
        ("Cut", editor.cut, _Keys.Cut, has_selection and can_write),
        ("Copy", editor.copy, _Keys.Copy, has_selection),
        ("Paste", editor.paste, _Keys.Paste, editor.canPaste()),
        None,
        ("Select all", editor.selectAll, _Keys.SelectAll, True),
    )
    for offer in offers:
        if offer is None:
            menu.addSeparator()
            continue
        text, slot, keys, is_on = offer
        action = QAction(text, menu)
        action.setShortcut(QKeySequence(keys))
        action.setEnabled(is_on)
        action.triggered.connect(slot)
        menu.addAction(action)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return menu
