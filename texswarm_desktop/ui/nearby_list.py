"""The hosts on this network as rows to press, each with its project, who shares it, and where."""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from texswarm_desktop.core.nearby import HostKey, NearbyHost
from texswarm_desktop.core.trust import Trust
from texswarm_desktop.ui.parts import ElidedLabel, LargeButton, column, label, row
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.joining import JoinView

_ICON_PX: Final = 16
_CODE_NEEDED: Final = "code needed"
_NOTES: Final = {
    Trust.KNOWN: "known",
    Trust.CHANGED: "another certificate",
    Trust.NEW: "",
    Trust.PLAIN: "not encrypted",
}


class NearbyList(QWidget):
    """Shows the hosts of a JoinView as they come and go; rows that stay keep the focus and the choice.

    Signal: `picked(NearbyHost)`. With `keeps_choice` the row that was pressed stays marked.
    """

    picked = Signal(object)

    def __init__(self, theme: Theme, join: JoinView, parent: QWidget | None = None, *, keeps_choice: bool = False):
        super().__init__(parent)
        self._theme, self._join, self._keeps_choice = theme, join, keeps_choice
        self._rows: dict[HostKey, NearbyRow] = {}
        self._chosen: HostKey | None = None
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(2)
        join.nearby.hosts_changed.connect(self._on_nearby_hosts)
        self.show_hosts(join.nearby.hosts)

    @property
    def rows(self) -> list["NearbyRow"]:
        """The rows, from above."""
        return [self._rows[key] for key in self._rows]

    @property
    def chosen(self) -> NearbyHost | None:
        """The host whose row is marked, as it announces itself now; None when it is gone, or none is marked."""
        marked = self._rows.get(self._chosen) if self._chosen is not None else None
        return marked.host if marked is not None else None

    def choose(self, host: NearbyHost | None) -> None:
        """Mark a row, or none."""
        self._chosen = host.key if host is not None else None
        for key, shown in self._rows.items():
            shown.setChecked(self._keeps_choice and key == self._chosen)

    def show_hosts(self, hosts: tuple[NearbyHost, ...]) -> None:
        """Show these hosts, in this order."""
        wanted = {host.key: host for host in hosts}
        for key in [key for key in self._rows if key not in wanted]:
            gone = self._rows.pop(key)
            self._box.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        for place, (key, host) in enumerate(wanted.items()):
            shown = self._rows.get(key) or self._new_row(host)
            shown.show_host(host, note_words(host, self._join.trust_in(host)))
            self._rows[key] = shown
            if self._box.indexOf(shown) != place:
                self._box.insertWidget(place, shown)
        self._rows = {key: self._rows[key] for key in wanted}
        self.choose(wanted.get(self._chosen) if self._chosen is not None else None)

    def _new_row(self, host: NearbyHost) -> "NearbyRow":
        made = NearbyRow(self._theme, host, is_checkable=self._keeps_choice)
        made.clicked.connect(lambda: self._on_row_clicked(made))
        return made

    def _on_row_clicked(self, pressed: "NearbyRow") -> None:
        self.choose(pressed.host)
        self.picked.emit(pressed.host)

    def _on_nearby_hosts(self, hosts: tuple[NearbyHost, ...]) -> None:
        self.show_hosts(hosts)


class NearbyRow(LargeButton):
    """One host. What it says of itself comes from strangers: it is shown as plain text, cut to the width."""

    def __init__(self, theme: Theme, host: NearbyHost, *, is_checkable: bool) -> None:
        super().__init__()
        self.host = host
        self.setObjectName("Recent")
        self.setCheckable(is_checkable)
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        picture = QLabel()
        picture.setPixmap(theme.icons.pixmap("host", theme.tokens.accent_text, _ICON_PX))
        self._project, self._who = ElidedLabel(), ElidedLabel(name="Hint")
        self._note = label(name="Hint")
        words = QWidget()
        words.setLayout(column(self._project, self._who, gap=2))
        box = row(picture, words, self._note, margins=(10, 7, 10, 7), gap=12)
        box.setStretchFactor(words, 1)
        self.setLayout(box)
        for child in (picture, words, self._note):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_host(self, host: NearbyHost, note: str) -> None:
        """Show what the host says of itself now."""
        self.host = host
        self._project.set_whole(host.project)
        self._who.set_whole(f"{host.name} · {host.addresses[0]}")
        self._note.setText(note)
        name = f"{host.project}, shared by {host.name}"
        self.setAccessibleName(name if host.is_open else f"{name}, {_CODE_NEEDED}")


def note_words(host: NearbyHost, trust: Trust) -> str:
    """Return what is to be known of a host before it is picked; empty when nothing is."""
    return " · ".join(filter(None, (_NOTES[trust], "" if host.is_open else _CODE_NEEDED)))
