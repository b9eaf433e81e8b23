"""The first page: six ways to begin, and what was worked on lately."""

import time
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from texswarm_desktop.core.nearby import NearbyHost
from texswarm_desktop.ui.folder_words import shown_folder
from texswarm_desktop.ui.nearby_list import NearbyList
from texswarm_desktop.ui.parts import ElidedLabel, LargeButton, column, empty, label, row
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.ui.theme_tokens import Tokens
from texswarm_desktop.viewmodels.joining import JoinView
from texswarm_desktop.viewmodels.start_view import RecentProject, StartView, when

_WIDTH_PX: Final = 720
_MARK_PX: Final = 52
_COLUMNS: Final = 3
_MOST_RECENT: Final = 8


class StartPage(QScrollArea):
    """Shows a StartView.

    Signals: `new_requested()`, `open_requested()`, `import_requested()`, `host_requested()`, `join_requested()`,
    `connect_requested()`, `recent_requested(Path)`, `nearby_requested(NearbyHost)`.
    """

    new_requested = Signal()
    open_requested = Signal()
    import_requested = Signal()
    host_requested = Signal()
    join_requested = Signal()
    connect_requested = Signal()
    recent_requested = Signal(object)
    nearby_requested = Signal(object)

    def __init__(self, theme: Theme, start: StartView, join: JoinView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._start = start
        self._choices: list[Choice] = []
        self._busy = label(name="Muted")
        self.nearby = NearbyList(theme, join)
        self.nearby.picked.connect(self.nearby_requested)
        self._nearby = QWidget()
        self._nearby.setLayout(column(label("On this network", "SectionTitle"), 8, self.nearby, 24))
        self._recent_title = label("Recent", "SectionTitle")
        self._recent = QVBoxLayout()
        self._recent.setContentsMargins(0, 0, 0, 0)
        self._recent.setSpacing(2)
        self._hint = label("Projects you open will be listed here.", "Muted")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidget(self._page())
        start.recent_changed.connect(self.show_recent)
        start.busy_changed.connect(self.show_busy)
        join.nearby.hosts_changed.connect(self.show_nearby)
        theme.changed.connect(self._wear)
        self.show_recent(start.recent)
        self.show_nearby(join.nearby.hosts)
        self.show_busy(start.busy)

    def _page(self) -> QWidget:
        inside = QWidget()
        inside.setMaximumWidth(_WIDTH_PX)
        box = column(margins=(28, 56, 28, 28))
        box.addLayout(self._header())
        box.addSpacing(26)
        box.addLayout(self._choices_grid())
        box.addSpacing(28)
        box.addWidget(self._nearby)
        box.addWidget(self._recent_title)
        box.addSpacing(8)
        box.addWidget(self._hint)
        box.addLayout(self._recent)
        box.addStretch(1)
        inside.setLayout(box)
        page = QWidget()
        page.setObjectName("Page")
        centred = QHBoxLayout(page)
        centred.setContentsMargins(0, 0, 0, 0)
        centred.addStretch(1)
        centred.addWidget(inside, 1000)
        centred.addStretch(1)
        return page

    def _header(self) -> QHBoxLayout:
        mark = QLabel()
        mark.setPixmap(self._theme.icons.pixmap("texswarm", size_px=_MARK_PX))
        words = column(label("TeXSwarm", "PageTitle"), 2, label("Write LaTeX together.", "PageSubtitle"))
        header = row(mark, gap=16)
        header.addLayout(words)
        header.addStretch(1)
        header.addWidget(self._busy)
        return header

    def _choices_grid(self) -> QGridLayout:
        choices = (
            ("plus", "New project", "Start a paper in a folder of its own", self.new_requested),
            ("folder", "Open folder", "Go on with LaTeX files you have", self.open_requested),
            ("import", "Import", "Bring in a zip archive, or clone from git", self.import_requested),
            ("host", "Host", "Share a project on your network", self.host_requested),
            ("join", "Join", "Somebody nearby, a link, or a code", self.join_requested),
            ("server", "Connect", "Sign in to a server with an invitation", self.connect_requested),
        )
        grid = QGridLayout()
        grid.setSpacing(10)
        for number, (icon, title, hint, signal) in enumerate(choices):
            choice = Choice(self._theme, icon, title, hint)
            choice.clicked.connect(signal)
            self._choices.append(choice)
            grid.addWidget(choice, number // _COLUMNS, number % _COLUMNS)
        for at in range(_COLUMNS):
            grid.setColumnStretch(at, 1)
        return grid

    def show_recent(self, recent: list[RecentProject]) -> None:
        """Show these projects."""
        empty(self._recent)
        now = time.time()
        for project in recent[:_MOST_RECENT]:
            shown = RecentButton(self._theme, project, now)
            shown.chosen.connect(self.recent_requested)
            self._recent.addWidget(shown)
        self._hint.setVisible(not recent)

    def show_nearby(self, hosts: tuple[NearbyHost, ...]) -> None:
        """Show whether anybody shares something nearby; who, the list does."""
        self._nearby.setVisible(bool(hosts))

    def show_busy(self, busy: str) -> None:
        """Show what is being done; nothing else can be begun until it is."""
        self._busy.setText(busy)
        for choice in self._choices:
            choice.setEnabled(not busy)
        self.nearby.setEnabled(not busy)

    def _wear(self, _tokens: Tokens) -> None:
        for choice in self._choices:
            choice.wear()


class Choice(LargeButton):
    """A large button with an icon, a title and a hint."""

    def __init__(self, theme: Theme, icon: str, title: str, hint: str) -> None:
        super().__init__()
        self._theme, self._icon_name = theme, icon
        self.setObjectName("Choice")
        self.setAccessibleName(title)
        self.setAccessibleDescription(hint)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._picture = QLabel()
        self._picture.setFixedSize(20, 20)
        words = QWidget()
        words.setLayout(column(label(title, "SectionTitle"), 2, label(hint, "Hint", wraps=True)))
        box = row(self._picture, words, margins=(14, 11, 12, 11), gap=12)
        box.setStretchFactor(words, 1)
        box.setAlignment(self._picture, Qt.AlignmentFlag.AlignTop)
        self.setLayout(box)
        for child in (self._picture, words):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.wear()

    def wear(self) -> None:
        """Draw the icon in the colours of the theme."""
        color = self._theme.tokens.accent_text
        self._picture.setPixmap(self._theme.icons.pixmap(self._icon_name, color, 20))

    def hasHeightForWidth(self) -> bool:
        """Hints may wrap."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Room for wrapped hints."""
        inside = self.layout()
        return inside.heightForWidth(width) if inside is not None else super().heightForWidth(width)


class RecentButton(LargeButton):
    """A project of the list. Signal: `chosen(Path)`."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, project: RecentProject, now: float) -> None:
        super().__init__()
        self.setObjectName("Recent")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(project.title)
        is_missing = project.is_missing
        age_words = "not found" if is_missing else when(project.opened_at, now)
        picture = QLabel()
        picture.setPixmap(theme.icons.pixmap("folder"))
        title = ElidedLabel(project.title)
        server = label(f"on {project.server}" if project.server else "", "Hint")
        age = label(age_words, "Hint")
        place = ElidedLabel(shown_folder(project.folder), "Hint", mode=Qt.TextElideMode.ElideMiddle)
        words = QWidget()
        words.setLayout(column(title, place, gap=2))
        box = row(picture, words, server, age, margins=(10, 7, 10, 7), gap=12)
        box.setStretchFactor(words, 1)
        self.setLayout(box)
        for child in (picture, words, server, age):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setToolTip(str(project.folder))
        self.setEnabled(not is_missing)
        self.clicked.connect(lambda: self.chosen.emit(project.folder))
