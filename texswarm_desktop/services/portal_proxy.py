"""Which proxy the settings of a Linux desktop name for an address: its portal reads them, and runs their script (PAC).

GNOME, KDE and others answer alike (org.freedesktop.portal.ProxyResolver). Without Qt, whose calls on a bus keep all
threads from running until they are answered.
"""

from contextlib import suppress
from typing import Final

_PORTAL: Final = "org.freedesktop.portal.Desktop"
_PATH: Final = "/org/freedesktop/portal/desktop"
_RESOLVER: Final = "org.freedesktop.portal.ProxyResolver"
_LIMIT_S: Final = 3.0
_DIRECT: Final = "direct://"


def proxy_by_portal(url: str) -> str | None:
    """Return the first proxy that is named, as a URL; None where there is no portal, or it says direct. Blocks."""
    try:
        from jeepney import DBusAddress, new_method_call  # noqa: PLC0415 - comes with the desktop, on Linux only
        from jeepney.io.blocking import open_dbus_connection  # noqa: PLC0415
        from jeepney.wrappers import DBusErrorResponse, unwrap_msg  # noqa: PLC0415
    except ImportError:
        return None
    asking = new_method_call(DBusAddress(_PATH, bus_name=_PORTAL, interface=_RESOLVER), "Lookup", "s", (url,))
    with (
        suppress(OSError, KeyError, ValueError, TimeoutError, DBusErrorResponse),
        open_dbus_connection("SESSION") as bus,
    ):
        (named,) = unwrap_msg(bus.send_and_get_reply(asking, timeout=_LIMIT_S))
        return next((str(one) for one in named[:1] if one != _DIRECT), None)
    return None
