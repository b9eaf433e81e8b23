"""The pop-up of the status line: the link in full, its last drops, and what can be done. Escape closes it."""

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from texswarm_desktop.client.status import StatusAction, Tone
from texswarm_desktop.qtx.timers import SingleShot
from texswarm_desktop.ui.link_details import LinkDetails, LinkLook, details
from texswarm_desktop.ui.parts import Dot, ElidedLabel, button, column, empty, label, row, show_new
from texswarm_desktop.ui.status_line import ACTION_WORDS
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.connection_view import ConnectionView

_LOOK_EVERY_S: Final = 1.0
_WIDTH_PX: Final = 430
_GAP_PX: Final = 6


class LinkPopover(QDialog):
    """Shows LinkDetails, which it asks for now and then. Signal: `action_requested(StatusAction)`."""

    action_requested = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget, look: Callable[[], tuple[LinkDetails, Tone]]) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("Popover")
        self.setAccessibleName("Connection")
        self._look = look
        self._shown: LinkDetails | None = None
        self._dot = Dot(theme)
        self._heading = label(name="SectionTitle", wraps=True)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(14)
        self._facts.setVerticalSpacing(3)
        self._facts.setColumnStretch(1, 1)
        self._history_title = label("Last interruptions", "PanelTitle")
        self._drops = QVBoxLayout()
        self._drops.setSpacing(2)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(6)
        self._timer = SingleShot(self.refresh, self)
        self._lay_out()
        self.refresh()

    def _lay_out(self) -> None:
        head = row(self._dot, self._heading, gap=8)
        head.setStretchFactor(self._heading, 1)
        outside = column(margins=(16, 14, 16, 14), gap=0)
        for part, space in ((head, 10), (self._facts, 12), (self._history_title, 4), (self._drops, 14)):
            outside.addLayout(part) if isinstance(part, QLayout) else outside.addWidget(part)
            outside.addSpacing(space)
        outside.addLayout(self._buttons)
        self.setLayout(outside)

    @property
    def details(self) -> LinkDetails | None:
        """What is shown."""
        return self._shown

    def refresh(self) -> None:
        """Look again, now and a moment later."""
        shown, tone = self._look()
        self._dot.set_tone(tone)
        if shown != self._shown:
            self._show(shown)
        self._timer.start(_LOOK_EVERY_S)

    def show_above(self, place: QWidget) -> None:
        """Open above a widget, as far inside the screen as it can be."""
        corner = place.mapToGlobal(QPoint(0, -self.height() - _GAP_PX))
        room = place.screen().availableGeometry()
        left = max(room.left(), min(corner.x(), room.right() - self.width()))
        self.move(left, max(room.top(), corner.y()))
        self.show()

    def _show(self, shown: LinkDetails) -> None:
        had_focus = self._focused_action()
        is_same_deeds = self._shown is not None and self._shown.actions == shown.actions
        self._shown = shown
        self._heading.setText(shown.heading)
        _clear(self._facts)
        for number, (name, value) in enumerate(shown.rows):
            self._facts.addWidget(label(name, "Hint"), number, 0, Qt.AlignmentFlag.AlignTop)
            self._facts.addWidget(label(value, "Small", wraps=True), number, 1)
        empty(self._drops)
        self._history_title.setVisible(bool(shown.drops))
        for drop in shown.drops:
            self._drops.addWidget(_drop(drop.when, drop.cause, drop.how_long))
        if not is_same_deeds:
            self._show_actions(shown, had_focus)
        self._fit()

    def _fit(self) -> None:
        """Be as high as wrapped lines need."""
        box = self.layout()
        assert box is not None
        show_new(self)
        box.activate()
        width_px = max(_WIDTH_PX, box.totalMinimumSize().width())
        self.setFixedSize(width_px, box.totalHeightForWidth(width_px))

    def _show_actions(self, shown: LinkDetails, focused: int | None) -> None:
        empty(self._buttons)
        for number, action in enumerate(shown.actions):
            made = button(ACTION_WORDS[action], "Primary" if number == 0 and len(shown.actions) > 2 else "")
            made.clicked.connect(lambda _checked=False, action=action: self._act(action))
            self._buttons.addWidget(made)
            if number == (focused or 0):
                made.setFocus()
        self._buttons.addStretch(1)

    def _focused_action(self) -> int | None:
        widgets = [
            item.widget() for at in range(self._buttons.count()) if (item := self._buttons.itemAt(at)) is not None
        ]
        return next((at for at, widget in enumerate(widgets) if widget is not None and widget.hasFocus()), None)

    def _act(self, action: StatusAction) -> None:
        self.close()
        self.action_requested.emit(action)


def look_at(view: ConnectionView) -> tuple[LinkDetails, Tone]:
    """Return what to show of a connection now; how long it takes to answer is measured for the next look."""
    measured = view.measured
    look = LinkLook(
        line=view.line,
        facts=view.facts,
        state=view.state,
        history=view.history,
        now=view.now(),
        wall_now=time.time(),
        address=measured.current_address if measured else None,
        profile=measured.profile.name if measured else "",
        round_trip_s=measured.round_trip_s if measured else None,
    )
    if measured is not None:
        measured.measure()
    return details(look), view.line.tone


def _drop(when: str, cause: str, how_long: str) -> QFrame:
    made = QFrame()
    middle = ElidedLabel(cause, "Small")
    box = row(label(when, "Hint"), middle, label(how_long, "Hint"), gap=10)
    box.setStretchFactor(middle, 1)
    made.setLayout(box)
    return made


def _clear(grid: QGridLayout) -> None:
    while (item := grid.takeAt(0)) is not None:
        gone = item.widget()
        if gone is not None:
            gone.hide()
            gone.deleteLater()
