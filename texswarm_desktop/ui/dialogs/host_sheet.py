"""What a host needs while sharing: link and codes to pass on, who is in and may do what, and the way out."""

from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QBoxLayout, QCheckBox, QFrame, QLineEdit, QMenu, QRadioButton, QVBoxLayout, QWidget

from texswarm_desktop.client.status import Hosting
from texswarm_desktop.core.who_joins import WhoJoins
from texswarm_desktop.qtx.timers import SingleShot
from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.ui.lobby_bar import LobbyBar
from texswarm_desktop.ui.panels.people_panel import state_words
from texswarm_desktop.ui.parts import Disc, ElidedLabel, RoomyArea, button, column, empty, label, row, scrolling
from texswarm_desktop.ui.qr_code import QrCode
from texswarm_desktop.ui.sleep_notice import awake_words
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.lobby_view import Visitor
from texswarm_desktop.viewmodels.membership import ROLE_WORDS
from texswarm_desktop.viewmodels.participants_view import ParticipantRow
from texswarm_server.protocol.messages import RoleName

_COPIED_FOR_S: Final = 2.0
#: The small one holds links of a host under IPv6 as well, of two pixels to a module.
_CODE_PX, _SMALL_CODE_PX = 196, 122
_MOST_ROWS_SEEN, _FEWEST_ROWS_SEEN = 5, 1
_UNDER_CHOICE_PX: Final = 27
_UNDER_LOBBY_PX: Final = 10
#: How wide a screen is on which the rules stand beside all else, and the sheet with them.
_WIDE_FROM_PX, _WIDE_PX = 1000, 900
#: How wide one is on which there is room for that with a small code below the rules.
_SNUG_FROM_PX, _SNUG_PX = 780, 760
_GIVEN: Final[tuple[RoleName, ...]] = ("editor", "viewer")
_WHO: Final = {True: "Anybody on this network", False: "Only with the link or the code"}
_HINTS: Final = {
    WhoJoins.ANYBODY: "They find the project in a list; the link and the code work too.",
    WhoJoins.ASKED: "Everybody waits until you let them in, also who has the link or the code.",
    WhoJoins.INVITED: "Others find you in the list, and are asked for the code.",
    WhoJoins.INVITED_AND_ASKED: "Who has the link or the code waits until you let them in; nobody else can ask.",
}


class HostSheet(Sheet):
    """Shows what is shared.

    Signals: `stop_requested()`; `access_chosen(str)`: the role that joining gives; `who_joins_chosen(WhoJoins)`;
    `lock_chosen(bool)`; `members_requested()`.
    """

    stop_requested = Signal()
    access_chosen = Signal(str)
    who_joins_chosen = Signal(object)
    lock_chosen = Signal(bool)
    members_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None, hosting: Hosting) -> None:
        super().__init__("Sharing this project", "", parent, width_px=600)
        self._theme = theme
        self._hosting = hosting
        self.link = _shown_field("Link")
        self.address = _shown_field("Address")
        self._room_px = self.screen().availableSize().width()
        self._is_snug = _SNUG_FROM_PX <= self._room_px < _WIDE_FROM_PX
        self.code = QrCode(theme, size_px=_SMALL_CODE_PX if self._is_snug else _CODE_PX)
        self.code.setAccessibleName("The link as a QR code")
        self.copy = button("Copy link", "Primary")
        self.join_code = label(name="JoinCode")
        self.join_code.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._join_code_part = _part("Join code on this network", self.join_code)
        self.words = label(name="Words")
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.words.setToolTip("Who comes without the link or the code sees them, too")
        self._words_part = _part("Words to compare", self.words)
        self.access = button("", tooltip="What people may do who join from now on")
        self._access_hint = label("once the lock is off", "Hint")
        self.choices = {is_open: QRadioButton(name) for is_open, name in _WHO.items()}
        self.asks = QCheckBox("Ask me before anybody joins")
        self._who_hint = label(name="Hint", wraps=True)
        self._who_hint.setContentsMargins(_UNDER_CHOICE_PX, 0, 0, 0)
        self.lock = QCheckBox("Lock: everybody else only reads")
        self.awake = label(name="Hint", wraps=True)
        self._copied = SingleShot(self._on_copied_over, self)
        self._people_title = label("", "SectionTitle")
        self._people_count, self._row_px = 0, 0
        self._people = QVBoxLayout()
        self._people.setSpacing(1)
        self.lobby = LobbyBar(theme)
        self._lay_out()
        self._wire()
        self.show_hosting(hosting)
        self.show_people([])

    def _lay_out(self) -> None:
        self.lobby.setContentsMargins(0, 0, 0, _UNDER_LOBBY_PX)
        inside = QWidget()
        inside.setObjectName("Plain")
        box = column(self.lobby, gap=6)
        if self._room_px >= _WIDE_FROM_PX:
            box.addLayout(self._side_by_side(_WIDE_PX, self._ways_in(), self._rules()))
        elif self._is_snug:
            rules = self._rules()
            rules.addWidget(self.code, 0, Qt.AlignmentFlag.AlignHCenter)
            box.addLayout(self._side_by_side(_SNUG_PX, self._words(), rules))
        else:
            box.addLayout(self._below_each_other())
        box.addWidget(self.awake)
        box.addStretch(1)
        inside.setLayout(box)
        self.body.addWidget(RoomyArea(inside))
        self._add_ends()

    def _side_by_side(self, width_px: int, ways_in: QBoxLayout, rules: QBoxLayout) -> QBoxLayout:
        """The rules beside all else, so that a screen that is not high holds everything."""
        self.setMinimumWidth(width_px)
        left = column(gap=6)
        left.addLayout(ways_in)
        left.addSpacing(12)
        left.addLayout(self._who_is_in())
        left.addStretch(1)
        rules.addStretch(1)
        beside = row(gap=32)
        beside.addLayout(left, 1)
        beside.addLayout(rules)
        return beside

    def _below_each_other(self) -> QBoxLayout:
        box = column(gap=6)
        box.addLayout(self._ways_in())
        box.addSpacing(12)
        box.addLayout(self._rules(QBoxLayout.Direction.LeftToRight))
        box.addSpacing(12)
        box.addLayout(self._who_is_in())
        return box

    def _ways_in(self) -> QBoxLayout:
        words = self._words()
        words.addStretch(1)
        beside = row(gap=20)
        beside.addLayout(words, 1)
        beside.addWidget(self.code, 0, Qt.AlignmentFlag.AlignTop)
        return beside

    def _words(self) -> QBoxLayout:
        """All that leads here but the code for cameras."""
        link_row = row(self.link, self.copy)
        link_row.setStretchFactor(self.link, 1)
        words = column(label("Link"), 4, gap=0)
        words.addLayout(link_row)
        words.addSpacing(10)
        words.addWidget(self._join_code_part)
        words.addSpacing(8)
        words.addWidget(self._words_part)
        words.addSpacing(8)
        words.addWidget(_part("Address on this network", self.address))
        return words

    def _who_is_in(self) -> QBoxLayout:
        box = column(gap=6)
        box.addLayout(row(self._people_title, None, self.lock))
        box.addWidget(self._people_area())
        return box

    def _rules(self, direction: QBoxLayout.Direction = QBoxLayout.Direction.TopToBottom) -> QBoxLayout:
        who = column(label("Who may join"), 2, *self.choices.values(), self.asks, self._who_hint, gap=4)
        gives = column(label("People who join"), 2, self.access, self._access_hint, gap=4)
        if direction is QBoxLayout.Direction.LeftToRight:
            who.addStretch(1)
            gives.addStretch(1)
        rules = QBoxLayout(direction)
        rules.setSpacing(20)
        rules.addLayout(who, 1 if direction is QBoxLayout.Direction.LeftToRight else 0)
        rules.addLayout(gives)
        return rules

    def _people_area(self) -> QWidget:
        inside = QWidget()
        inside.setObjectName("Plain")
        box = column()
        box.addLayout(self._people)
        box.addStretch(1)
        inside.setLayout(box)
        self._area = scrolling(inside)
        return self._area

    def _add_ends(self) -> None:
        stop = button("Stop sharing", "Danger", tooltip="Guests hear it, and keep their copies")
        stop.clicked.connect(self._on_stop_clicked)
        members = button("People and invitations…")
        members.clicked.connect(self.members_requested)
        done = button("Done")
        done.setDefault(True)
        done.clicked.connect(self.accept)
        self.buttons.insertWidget(0, stop)
        self.buttons.insertWidget(1, members)
        self.buttons.addWidget(done)

    def _wire(self) -> None:
        self.copy.clicked.connect(self.copy_link)
        self.access.clicked.connect(self._on_access_clicked)
        for is_open, choice in self.choices.items():
            choice.clicked.connect(lambda _on=False, is_open=is_open: self._on_who_clicked(is_open))
        self.asks.clicked.connect(self._on_asks_clicked)
        self.lock.clicked.connect(self._on_lock_clicked)

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────

    def show_hosting(self, hosting: Hosting) -> None:
        """Show another link or address, or other rules."""
        self._hosting = hosting
        self.link.setText(hosting.link)
        self.link.setCursorPosition(0)
        self.code.show_text(hosting.link)
        self.address.setText(hosting.address)
        self.address.setToolTip("\n".join(["Also:", *hosting.others]) if hosting.others else "")
        self.join_code.setText(hosting.join_code)
        self._join_code_part.setVisible(bool(hosting.join_code))
        self.words.setText(hosting.words)
        self._words_part.setVisible(bool(hosting.words))
        self.choices[hosting.who.is_open].setChecked(True)
        self.asks.setChecked(hosting.who.asks)
        self._who_hint.setText(_HINTS[hosting.who])
        self.access.setText(f"{ROLE_WORDS[hosting.role]} ▾")
        self._access_hint.setVisible(hosting.is_locked)
        self.lock.setChecked(hosting.is_locked)
        self.awake.setText(awake_words(hosting))
        self.awake.setVisible(bool(self.awake.text()))
        self.make_room()

    def show_people(self, rows: list[ParticipantRow]) -> None:
        """Show who is in, with what they may do and how they are here."""
        empty(self._people)
        others = [one for one in rows if not one.is_me]
        self._people_title.setText(people_words(len(others)))
        states = [state_words(one, with_role=False) for one in others]
        for one, state in zip(others, states, strict=True):
            made = _person_row(self._theme, one, state, widest=max(states, key=len))
            self._people.addWidget(made)
            self._row_px = made.sizeHint().height() + self._people.spacing()
        self._people_count = len(others)
        self._area.setVisible(bool(others))
        self.lock.setVisible(bool(others) or self._hosting.is_locked)
        self.make_room()

    def show_visitors(self, visitors: list[Visitor]) -> None:
        """Show who asks to be let in: while this sheet is up, the bar in the window behind it cannot be pressed."""
        self.lobby.show_visitors(visitors)
        self.make_room()

    def make_room(self) -> None:
        """Show a few of the people at once, as many as the screen has room for, and grow; the small code gives way."""
        self._show_rows(_FEWEST_ROWS_SEEN)
        self.code.show()
        self.code.setHidden(self._is_snug and self.wanted_height_px > self.most_height_px)
        most_px = max(self.wanted_height_px, self.most_height_px)
        for rows in range(min(self._people_count, _MOST_ROWS_SEEN), _FEWEST_ROWS_SEEN - 1, -1):
            self._show_rows(rows)
            if self.wanted_height_px <= most_px:
                break
        super().make_room()

    def _show_rows(self, count: int) -> None:
        self._area.setFixedHeight(self._row_px * min(count, self._people_count))

    def copy_link(self) -> None:
        """Put the link on the clipboard."""
        QGuiApplication.clipboard().setText(self.link.text())
        self.copy.setText("Copied")
        self._copied.start(_COPIED_FOR_S)

    def _on_copied_over(self) -> None:
        self.copy.setText("Copy link")

    # ── what the host wants ─────────────────────────────────────────────────────────────────────────────

    def _on_access_clicked(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for role in _GIVEN:
            action = QAction(ROLE_WORDS[role], menu)
            action.setCheckable(True)
            action.setChecked(role == self._hosting.role)
            action.triggered.connect(lambda _on=False, role=role: self.access_chosen.emit(role))
            menu.addAction(action)
        menu.popup(self.access.mapToGlobal(QPoint(0, self.access.height())))

    def _on_who_clicked(self, is_open: bool) -> None:
        self._choose(WhoJoins.by(is_open=is_open, asks=self._hosting.who.asks))

    def _on_asks_clicked(self, asks: bool) -> None:
        self._choose(WhoJoins.by(is_open=self._hosting.who.is_open, asks=asks))

    def _choose(self, who: WhoJoins) -> None:
        """What holds stays marked until the other is true, so that nobody believes in a door that is not shut yet."""
        self.choices[self._hosting.who.is_open].setChecked(True)
        self.asks.setChecked(self._hosting.who.asks)
        if who is not self._hosting.who:
            self.who_joins_chosen.emit(who)

    def _on_lock_clicked(self, is_on: bool) -> None:
        """As with the doors: it is marked once it holds."""
        self.lock.setChecked(self._hosting.is_locked)
        self.lock_chosen.emit(is_on)

    def _on_stop_clicked(self) -> None:
        self.stop_requested.emit()
        self.accept()


def people_words(count: int) -> str:
    """Return the title over the people who are in."""
    return {0: "Nobody has joined yet", 1: "1 person has joined"}.get(count, f"{count} people have joined")


def _person_row(theme: Theme, shown: ParticipantRow, words: str, *, widest: str) -> QFrame:
    """Return a row; `widest` is the longest of what is said of anybody, so that roles stand below each other."""
    made = QFrame()
    name = ElidedLabel(shown.person.name)
    name.setEnabled(shown.state == "here")
    role = label(ROLE_WORDS[shown.role], "Hint")
    state = label(words, "Hint")
    for part, longest in ((role, "May write"), (state, max(widest, "reconnecting…", key=len))):
        part.setMinimumWidth(part.fontMetrics().horizontalAdvance(longest) + 2)
    state.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    box = row(Disc(theme, shown.person, is_here=shown.state == "here"), name, role, state, margins=(2, 3, 8, 3), gap=12)
    box.setStretchFactor(name, 1)
    made.setLayout(box)
    made.setAccessibleName(f"{shown.person.name}, {role.text()}, {state.text()}")
    return made


def _part(name: str, shown: QWidget) -> QWidget:
    """Return something with its name above it, to be shown or not together."""
    made = QWidget()
    made.setLayout(column(label(name), 4, shown))
    return made


def _shown_field(name: str) -> QLineEdit:
    field = QLineEdit()
    field.setReadOnly(True)
    field.setAccessibleName(name)
    return field
