"""By which name, and for what reason, a desktop of Linux is asked not to sleep: its user is shown both.

The library that asks knows only its own name.
"""

from contextlib import ExitStack
from typing import Final

from wakepy.core import DBusMethodCall
from wakepy.dbus_adapters.jeepney import JeepneyDBusAdapter

#: What the library says of itself, and what is said in its place.
_WORDS: Final = {"wakepy": "TeXSwarm", "wakelock active": "Guests are writing in a project shared from here"}


class InhibitorName(JeepneyDBusAdapter):
    """Calls what keeps the system awake, in our name."""

    def process(self, call: DBusMethodCall) -> object:
        """Make a call and return its answer; where there is none, nothing stays connected, and nothing is granted late.

        The library closes the connections of what worked only, so each guest who comes would leave one behind.
        """
        named = tuple(_WORDS.get(each, each) if isinstance(each, str) else each for each in call.args)
        with ExitStack() as on_failure:
            on_failure.callback(self._let_go)
            answer = super().process(DBusMethodCall(call.method, named))
            on_failure.pop_all()
        return answer

    def _let_go(self) -> None:
        while self._connections:
            self.close_connection(self._connections.popitem()[1])
