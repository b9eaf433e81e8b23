"""Which proxy the settings of Windows and macOS name for an address, as Qt reads them, with their script (PAC).

A script may take seconds, in which Qt lets no thread of Python run: another process asks, `python -m` this module.
"""

import subprocess
import sys
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from PySide6.QtCore import QUrl
from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

_LIMIT_S: Final = 3.5
_SCHEMES: Final = {
    QNetworkProxy.ProxyType.HttpProxy: "http",
    QNetworkProxy.ProxyType.HttpCachingProxy: "http",
    QNetworkProxy.ProxyType.Socks5Proxy: "socks5h",
}

Query = Callable[[QNetworkProxyQuery], list[QNetworkProxy]]


def proxy_by_qt(url: str) -> str | None:
    """Return the proxy for an address, as a URL; None for none, or where the settings take too long. Blocks."""
    command = [sys.executable, "-m", __name__, url]
    unseen: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        told = subprocess.run(  # noqa: S603 - our own program
            command, capture_output=True, text=True, timeout=_LIMIT_S, check=True, creationflags=unseen
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip() or None


def first_proxy(url: str, query: Query = QNetworkProxyFactory.systemProxyForQuery) -> str | None:
    """Return the first proxy that Qt names; where it names a direct way first, None."""
    for proxy in query(QNetworkProxyQuery(QUrl(url))):
        if proxy.type() is QNetworkProxy.ProxyType.NoProxy:
            return None
        if proxy.type() in _SCHEMES and proxy.hostName():
            return _as_url(proxy)
    return None


def _as_url(proxy: QNetworkProxy) -> str:
    secret = f":{quote(proxy.password(), safe='')}" if proxy.password() else ""
    user = f"{quote(proxy.user(), safe='')}{secret}@" if proxy.user() else ""
    host = f"[{proxy.hostName()}]" if ":" in proxy.hostName() else proxy.hostName()
    return f"{_SCHEMES[proxy.type()]}://{user}{host}:{proxy.port()}"


if __name__ == "__main__":
    sys.stdout.write(first_proxy(sys.argv[1]) or "")
