"""The open files as tabs, with an editor for each text and a page for each figure, and the find bar over them.

An editor is made when its file is opened and ends before its binding does.
"""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QStackedWidget, QTabBar, QWidget

from texswarm_desktop.client.status import READING
from texswarm_desktop.ui.editor.figure_page import FigurePage
from texswarm_desktop.ui.editor.latex_editor import ZOOM_LIMITS, LatexEditor
from texswarm_desktop.ui.parts import IconButton, column, label, row
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.presence_view import PresenceView
from texswarm_desktop.viewmodels.project_view import ProjectView

if TYPE_CHECKING:
    from texswarm_desktop.ui.editor.find_bar import FindBar

_NOTHING_OPEN: Final = "Choose a file on the left, or press + to add one."


class EditorArea(QWidget):
    """Shows what a ProjectView has open.

    Signals: `caret_moved(int, int)` with line and column of the current editor, from 1; `zoom_changed(int)`;
    `typing_refused()` when somebody types who may only read.
    """

    caret_moved = Signal(int, int)
    zoom_changed = Signal(int)
    typing_refused = Signal()

    def __init__(
        self,
        theme: Theme,
        project: ProjectView,
        presence: PresenceView,
        *,
        zoom: int = 0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("EditorArea")
        self._theme, self._project, self._presence, self._zoom = theme, project, presence, zoom
        self._editors: dict[str, LatexEditor] = {}
        self._figures: dict[str, FigurePage] = {}
        self._removed: set[str] = set()
        self._tabs = _tab_bar()
        self._stack = QStackedWidget()
        self._empty = _empty_page()
        self._stack.addWidget(self._empty)
        self._find_bar: FindBar | None = None
        tab_row = QFrame()
        tab_row.setObjectName("TabRow")
        self._reading = label("Reading only", "Badge")
        self._reading.setToolTip(READING if project.obstacle is None else "")
        tabs = row(self._tabs, None, self._reading, margins=(0, 0, 12, 0), gap=0)
        tabs.setAlignment(self._reading, Qt.AlignmentFlag.AlignVCenter)
        tab_row.setLayout(tabs)
        self._tab_row = tab_row
        self._box = column(tab_row, self._stack)
        self.setLayout(self._box)
        self._connect()
        self._reading.setVisible(not project.can_write)
        for file_id in project.open_files:
            self._on_project_file_opened(file_id)
        self._on_project_current_changed(project.current or "")

    def _connect(self) -> None:
        self._tabs.currentChanged.connect(self._on_tabs_current_changed)
        self._tabs.installEventFilter(self)
        self._project.file_opened.connect(self._on_project_file_opened)
        self._project.file_closed.connect(self._on_project_file_closed)
        self._project.current_changed.connect(self._on_project_current_changed)
        self._project.file_renamed.connect(self._on_project_file_renamed)
        self._project.file_removed.connect(self._on_project_file_removed)
        self._project.can_write_changed.connect(self._on_project_can_write_changed)
        self._project.figures_changed.connect(self._on_project_figures_changed)

    # ── for the window ──────────────────────────────────────────────────────────────────────────────────

    @property
    def find_bar(self) -> "FindBar":
        """What finds in the text; made when it is first asked for."""
        from texswarm_desktop.ui.editor.find_bar import FindBar  # noqa: PLC0415 - a start finds nothing

        if self._find_bar is None:
            self._find_bar = bar = FindBar(self._theme)
            bar.closed.connect(self.focus_text)
            bar.set_editor(self.editor)
            self._box.insertWidget(self._box.indexOf(self._stack), bar)
        return self._find_bar

    @property
    def editor(self) -> LatexEditor | None:
        """The editor that is worked in."""
        return self._editors.get(self._project.current or "")

    @property
    def figure_page(self) -> FigurePage | None:
        """The figure that is looked at."""
        return self._figures.get(self._project.current or "")

    @property
    def zoom(self) -> int:
        """How much larger than usual the text is, in pixels."""
        return self._zoom

    @property
    def tab_texts(self) -> list[str]:
        """What the tabs say."""
        return [self._tabs.tabText(at) for at in range(self._tabs.count())]

    def focus_text(self) -> None:
        """Let the user write."""
        editor = self.editor
        (editor or self._stack).setFocus()

    def tell_place(self) -> None:
        """Emit where the caret is, for somebody who has only begun to listen."""
        if self.editor is not None:
            cursor = self.editor.textCursor()
            self.caret_moved.emit(cursor.blockNumber() + 1, cursor.positionInBlock() + 1)

    def set_zoom(self, zoom: int) -> None:
        """Write larger or smaller, within limits."""
        zoom = min(max(zoom, ZOOM_LIMITS[0]), ZOOM_LIMITS[1])
        if zoom != self._zoom:
            self._zoom = zoom
            for editor in self._editors.values():
                editor.set_zoom(zoom)
            self.zoom_changed.emit(zoom)

    def close_current(self) -> None:
        """Close the tab that is worked in."""
        if self._project.current is not None:
            self._project.close_file(self._project.current)

    def turn(self, step: int) -> None:
        """Turn to the next tab, or to the one before."""
        if self._tabs.count():
            self._tabs.setCurrentIndex((self._tabs.currentIndex() + step) % self._tabs.count())

    def show_place(self, file_id: str, position: int) -> None:
        """Open a file and bring a position into view."""
        self._project.open_file(file_id)
        editor = self._editors.get(file_id)
        if editor is not None:
            editor.go_to(position)
            editor.setFocus()

    def close_area(self) -> None:
        """Let go of every editor; needed before the project's view is closed."""
        self._find_in(None)
        for file_id in list(self._editors):
            self._end_editor(file_id)
        for file_id in list(self._figures):
            self._end_figure(file_id)

    # ── editors ─────────────────────────────────────────────────────────────────────────────────────────

    def _new_editor(self, file_id: str) -> LatexEditor:
        binding = self._project.binding(file_id)
        editor = LatexEditor(self._theme)
        editor.set_zoom(self._zoom)
        editor.set_binding(binding, self._project.path_of(file_id))
        editor.set_presence(self._presence.follow(file_id, binding))
        editor.place_changed.connect(lambda anchor, head: self._on_editor_place_changed(file_id, anchor, head))
        editor.place_pushed.connect(lambda anchor, head: self._on_editor_place_pushed(file_id, anchor, head))
        editor.caret_moved.connect(lambda line, column: self._on_editor_caret_moved(file_id, line, column))
        editor.set_can_write(can_write=self._project.can_write)
        editor.typing_refused.connect(self.typing_refused)
        editor.zoom_requested.connect(lambda step: self.set_zoom(self._zoom + step))
        return editor

    def _end_editor(self, file_id: str) -> None:
        editor = self._editors.pop(file_id)
        editor.clear_binding()
        self._presence.forget(file_id)
        self._stack.removeWidget(editor)
        editor.deleteLater()

    def _end_figure(self, file_id: str) -> None:
        page = self._figures.pop(file_id)
        self._stack.removeWidget(page)
        page.deleteLater()

    def _on_project_figures_changed(self) -> None:
        for file_id, page in self._figures.items():
            page.show_facts(self._project.figure(file_id))

    def _on_editor_place_changed(self, file_id: str, anchor: int, head: int) -> None:
        if file_id == self._project.current:
            self._presence.set_place(file_id, anchor, head)

    def _on_editor_place_pushed(self, file_id: str, anchor: int, head: int) -> None:
        if file_id == self._project.current:
            self._presence.push_place(file_id, anchor, head)

    def _on_editor_caret_moved(self, file_id: str, line: int, column: int) -> None:
        if file_id == self._project.current:
            self.caret_moved.emit(line, column)

    # ── the project ─────────────────────────────────────────────────────────────────────────────────────

    def _on_project_file_opened(self, file_id: str) -> None:
        if self._project.is_figure(file_id):
            page = self._figures[file_id] = FigurePage(self._project.figure(file_id))
            self._stack.addWidget(page)
        else:
            editor = self._editors[file_id] = self._new_editor(file_id)
            self._stack.addWidget(editor)
        at = self._tabs.addTab("")
        self._tabs.setTabData(at, file_id)
        close = IconButton(self._theme, "close", "Close", size_px=12)
        close.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        close.clicked.connect(lambda: self._project.close_file(file_id))
        self._tabs.setTabButton(at, QTabBar.ButtonPosition.RightSide, close)
        self._name_tabs()

    def _on_project_file_closed(self, file_id: str) -> None:
        at = self._tab_of(file_id)
        self._removed.discard(file_id)
        if at >= 0:
            self._tabs.removeTab(at)
        if file_id in self._editors:
            bar = self._find_bar
            if bar is not None and bar.isVisible() and not self._editors.keys() - {file_id}:
                bar.close_bar()
            self._end_editor(file_id)
        if file_id in self._figures:
            self._end_figure(file_id)
        self._name_tabs()

    def _on_project_current_changed(self, file_id: str) -> None:
        editor = self._editors.get(file_id)
        self._stack.setCurrentWidget(editor or self._figures.get(file_id) or self._empty)
        self._tabs.setCurrentIndex(self._tab_of(file_id))
        self._find_in(editor)
        if editor is None:
            self._presence.set_nowhere()
            return
        cursor = editor.textCursor()
        self._presence.set_place(file_id, cursor.anchor(), cursor.position())
        self.tell_place()
        editor.setFocus()

    def _find_in(self, editor: LatexEditor | None) -> None:
        if self._find_bar is not None:
            self._find_bar.set_editor(editor)

    def _on_project_file_renamed(self, file_id: str, path: str) -> None:
        self._removed.discard(file_id)
        if file_id in self._editors:
            self._editors[file_id].set_path(path)
        self._name_tabs()

    def _on_project_file_removed(self, file_id: str) -> None:
        self._removed.add(file_id)
        self._name_tabs()

    def _on_project_can_write_changed(self, can_write: bool) -> None:
        self._reading.setVisible(not can_write)
        for editor in self._editors.values():
            editor.set_can_write(can_write=can_write)
        if self._find_bar is not None:
            self._find_bar.look_again()

    # ── tabs ────────────────────────────────────────────────────────────────────────────────────────────

    def _tab_of(self, file_id: str) -> int:
        return next((at for at in range(self._tabs.count()) if self._tabs.tabData(at) == file_id), -1)

    def _name_tabs(self) -> None:
        ids = [self._tabs.tabData(at) for at in range(self._tabs.count())]
        names = tab_names([self._project.path_of(file_id) for file_id in ids])
        for at, (file_id, name) in enumerate(zip(ids, names, strict=True)):
            is_removed = file_id in self._removed
            self._tabs.setTabText(at, f"{name} (removed)" if is_removed else name)
            self._tabs.setTabToolTip(at, self._project.path_of(file_id))
        self._tab_row.setVisible(bool(ids))

    def _on_tabs_current_changed(self, at: int) -> None:
        file_id = self._tabs.tabData(at)
        if file_id:
            self._project.set_current(file_id)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Close a tab with the middle button."""
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease:
            at = self._tabs.tabAt(event.position().toPoint())
            if event.button() == Qt.MouseButton.MiddleButton and at >= 0:
                self._project.close_file(self._tabs.tabData(at))
                return True
        return super().eventFilter(watched, event)


def tab_names(paths: list[str]) -> list[str]:
    """Return the names of files, with their folder where two have one name."""
    names = [path.rpartition("/")[2] for path in paths]
    return [path if names.count(name) > 1 else name for path, name in zip(paths, names, strict=True)]


def _tab_bar() -> QTabBar:
    tabs = QTabBar()
    tabs.setDrawBase(False)
    tabs.setExpanding(False)
    tabs.setMovable(True)
    tabs.setElideMode(Qt.TextElideMode.ElideMiddle)
    tabs.setUsesScrollButtons(True)
    tabs.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    tabs.setAccessibleName("Open files")
    return tabs


def _empty_page() -> QWidget:
    page = QFrame()
    page.setObjectName("EmptyEditor")
    hint = label(_NOTHING_OPEN, "Muted")
    hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
    page.setLayout(column(hint))
    return page
