"""Join somebody: pick a host on this network, or paste a link, type a code, or an address."""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from texswarm_desktop.client.status import StatusAction
from texswarm_desktop.core.join_entry import CodeNeededError, read_join_entry
from texswarm_desktop.core.nearby import NearbyHost
from texswarm_desktop.core.trust import Trust
from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.ui.error_texts import text_of
from texswarm_desktop.ui.nearby_list import NearbyList
from texswarm_desktop.ui.parts import button, column, label, restyle, scrolling
from texswarm_desktop.ui.status_line import ACTION_WORDS
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.joining import JoinView, JoinWish

_LIST_PX: Final = 168
_EMPTY: Final = (
    "Nobody on this network is sharing a project right now. Hosts show up here by themselves; some networks keep "
    "computers from seeing each other, then a code with an address, or a link, still works."
)
_NEW: Final = "You have not met this host before. Its sharing window shows these four words; compare them once:"
_CODE_NEEDED: Final = text_of(CodeNeededError()).sentence
_CHANGED: Final = (
    "Careful: this host shows another certificate than before, so somebody may pretend to be it; join only if its "
    "sharing window shows these four words:"
)


class JoinDialog(Sheet):
    """Asks for a host or what leads to one, and a name; stays open while the way in is looked for.

    Signals: `join_requested(str, str)` with an invite link and a name; `way_in_requested(JoinWish, str)` for all else;
    `words_wanted(str)` with a fingerprint whose words are to be shown; `check_requested()` of the road that was tried.
    """

    join_requested = Signal(str, str)
    way_in_requested = Signal(object, str)
    words_wanted = Signal(str)
    check_requested = Signal()

    def __init__(
        self,
        theme: Theme,
        join: JoinView,
        parent: QWidget | None,
        *,
        link: str = "",
        name: str = "",
        host: NearbyHost | None = None,
    ) -> None:
        super().__init__("Join", "The project arrives as a folder on this computer.", parent, width_px=500)
        self._theme, self._join = theme, join
        self._fingerprint: str | None = None
        self._needs_code = False
        self.list = NearbyList(theme, join, keeps_choice=True)
        self._empty = label(_EMPTY, "Hint", wraps=True)
        self.body.addWidget(label("On this network"))
        self.body.addWidget(self._empty)
        self._area = scrolling(self._inside())
        self.body.addWidget(self._area)
        self.link = self.add_field("Or paste a link, type a code, or an address", "417-otter-maple", value=link)
        self.name = self.add_field("Your name", "What others read beside your caret", value=name)
        self.trust = label(name="Muted", wraps=True)
        self.words = label(name="Words")
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.body.addSpacing(8)
        self.body.addWidget(self.trust)
        self.body.addWidget(self.words)
        self.check_button = button(ACTION_WORDS[StatusAction.CHECK])
        self.check_button.hide()
        self.buttons.insertWidget(0, self.check_button)
        self.accept_button = self.add_buttons("Join")
        self._wire()
        self.list.choose(host)
        self._show_trust()
        self._show_list()
        (self.name if link or (host is not None and host.is_open) else self.link).setFocus()

    def _inside(self) -> QWidget:
        inside = QWidget()
        inside.setObjectName("Plain")
        box = column(self.list)
        box.addStretch(1)
        inside.setLayout(box)
        return inside

    def _wire(self) -> None:
        self.list.picked.connect(self._on_list_picked)
        self.link.textEdited.connect(self._on_link_edited)
        self._join.nearby.hosts_changed.connect(self._on_nearby_hosts)
        self._join.words_changed.connect(self._on_join_words)
        self.check_button.clicked.connect(self.check_requested)

    def begin(self) -> None:
        """Ask for what is still to be shown; once somebody listens."""
        if self._fingerprint is not None:
            self.words_wanted.emit(self._fingerprint)

    # ── what was found out meanwhile ────────────────────────────────────────────────────────────────────

    def show_searching(self) -> None:
        """Say that the way in is looked for; nothing else can be asked for until it is found, or not."""
        self.clear_problem()
        self.accept_button.setText("Joining…")
        self.accept_button.setEnabled(False)

    def show_refusal(self, sentence: str, *, can_check: bool = False) -> None:
        """Say why there was no way in; `can_check`: to look at each step of it may tell more."""
        self._let_try_again()
        self.check_button.setVisible(can_check)
        self.show_problem(sentence, None if self.list.chosen is not None else self.link)

    def ask_to_trust(self, fingerprint: str, trust: Trust) -> None:
        """Ask whether this is the right host; the next press on Join says yes."""
        self._let_try_again()
        self._show_fingerprint(fingerprint, trust)

    def clear_problem(self) -> None:
        """Say nothing more, and offer no check of a road that is no longer asked for."""
        super().clear_problem()
        self.check_button.hide()

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────

    def try_accept(self) -> None:
        """Join, if what was given can lead somewhere."""
        self.clear_problem()
        host, name = self.list.chosen, self.name.text().strip()
        entry = read_join_entry(self.link.text()) if host is None else None
        if host is None and entry is None:
            self.show_problem("This is not a link, a code or an address.", self.link)
        elif not name:
            self.show_problem("Others need a name to read.", self.name)
        elif host is not None and not host.is_open:
            self.trust.hide()
            self.show_problem(_CODE_NEEDED, self.link)
        elif host is not None:
            self._ask(JoinWish(host=host, trusted=self._fingerprint), name)
        elif entry is not None and entry.is_invitation:
            self.join_requested.emit(self.link.text().strip(), name)
            self.accept()
        else:
            self._ask(JoinWish(entry=entry, trusted=self._fingerprint), name)

    def _ask(self, wish: JoinWish, name: str) -> None:
        self.show_searching()
        self.way_in_requested.emit(wish, name)

    def _let_try_again(self) -> None:
        self.accept_button.setText("Join")
        self.accept_button.setEnabled(True)

    def _show_list(self) -> None:
        has_hosts = bool(self._join.nearby.hosts)
        self._empty.setVisible(not has_hosts)
        self._area.setVisible(has_hosts)
        self._area.setFixedHeight(min(_LIST_PX, self.list.sizeHint().height() + 2))
        self.fit()

    def _show_trust(self) -> None:
        """Show the words of the host that is marked, where they have to be compared."""
        host = self.list.chosen
        self._needs_code = host is not None and not host.is_open
        if self._needs_code:
            self._ask_for_code()
            return
        trust = self._join.trust_in(host) if host is not None else Trust.KNOWN
        fingerprint = host.announcement.fingerprint if host is not None else None
        if fingerprint is None or trust not in {Trust.NEW, Trust.CHANGED}:
            self._hide_trust()
            return
        self._show_fingerprint(fingerprint, trust)

    def _hide_trust(self) -> None:
        self._fingerprint = None
        self.trust.hide()
        self.words.hide()
        self.fit()

    def _ask_for_code(self) -> None:
        """Say what the host that is marked wants; the code proves who it is, so that no words are compared."""
        self._hide_trust()
        self.trust.setObjectName("Muted")
        restyle(self.trust)
        self.trust.setText(_CODE_NEEDED)
        self.trust.show()
        self.fit()
        self.link.setFocus()

    def _show_fingerprint(self, fingerprint: str, trust: Trust) -> None:
        is_changed = trust is Trust.CHANGED
        self._fingerprint = fingerprint
        self.trust.setObjectName("Problem" if is_changed else "Muted")
        restyle(self.trust)
        self.trust.setText(_CHANGED if is_changed else _NEW)
        self.words.setText("…")
        self.accept_button.setText("Trust it and join" if is_changed else "Join")
        self.trust.show()
        self.words.show()
        self.fit()
        self.words_wanted.emit(fingerprint)

    def _on_list_picked(self, _host: NearbyHost) -> None:
        self.link.clear()
        self.clear_problem()
        self._let_try_again()
        self._show_trust()
        if not self.name.text().strip() and not self._needs_code:
            self.name.setFocus()

    def _on_link_edited(self, _text: str) -> None:
        self.list.choose(None)
        self._let_try_again()
        self._show_trust()

    def _on_nearby_hosts(self, _hosts: tuple[NearbyHost, ...]) -> None:
        self._show_list()
        host = self.list.chosen
        if host is not None and host.is_open is self._needs_code:  # the host changed who may join
            self.clear_problem()
            self._let_try_again()
            self._show_trust()
        elif self._fingerprint is not None and host is None and not self.link.text():
            self._show_trust()

    def _on_join_words(self, fingerprint: str, words: str) -> None:
        if fingerprint == self._fingerprint:
            self.words.setText(words)

    def showEvent(self, event: QShowEvent) -> None:
        """Be just as high as what it says: Qt guesses more for words that wrap."""
        super().showEvent(event)
        self.fit()
