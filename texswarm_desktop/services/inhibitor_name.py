"""By which name, and for what reason, a desktop of Linux is asked not to sleep: its user is shown both.

The library that asks knows only its own name.
"""

from typing import Final

from wakepy.core import DBusMethodCall
from wakepy.dbus_adapters.jeepney import JeepneyDBusAdapter

#: What the library says of itself, and what is said in its place.
_WORDS: Final = {"wakepy": "TeXSwarm", "wakelock active": "Guests are writing in a project shared from here"}


class InhibitorName(JeepneyDBusAdapter):
    """Calls what keeps the system awake, in our name."""

    def process(self, call: DBusMethodCall) -> object:
        """Make a call and return its answer."""
        named = tuple(_WORDS.get(each, each) if isinstance(each, str) else each for each in call.args)
        return super().process(DBusMethodCall(call.method, named))
