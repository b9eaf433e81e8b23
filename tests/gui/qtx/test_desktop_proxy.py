"""The proxy of a desktop's settings, as Qt reads them."""

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyQuery

from texswarm_desktop.qtx.desktop_proxy import first_proxy, proxy_by_qt

URL = "https://swarm.example.org:8091/ws"
Kind = QNetworkProxy.ProxyType


def proxy(kind: Kind, host: str = "proxy.example", user: str = "", password: str = "") -> QNetworkProxy:
    return QNetworkProxy(kind, host, 3128, user, password)


@pytest.mark.parametrize(
    ("named", "url"),
    [
        ([proxy(Kind.HttpProxy)], "http://proxy.example:3128"),
        ([proxy(Kind.HttpCachingProxy), proxy(Kind.Socks5Proxy)], "http://proxy.example:3128"),
        ([proxy(Kind.Socks5Proxy, "fd00::2")], "socks5h://[fd00::2]:3128"),
        ([proxy(Kind.HttpProxy, user="ada", password="se cret@")], "http://ada:se%20cret%40@proxy.example:3128"),
        ([proxy(Kind.FtpCachingProxy), proxy(Kind.Socks5Proxy)], "socks5h://proxy.example:3128"),
        ([QNetworkProxy(Kind.NoProxy), proxy(Kind.HttpProxy)], None),
        ([], None),
    ],
)
def test_what_qt_names_is_read(named: list[QNetworkProxy], url: str | None) -> None:
    asked: list[QUrl] = []

    def query(question: QNetworkProxyQuery) -> list[QNetworkProxy]:
        asked.append(question.url())
        return named

    assert first_proxy(URL, query) == url
    assert asked == [QUrl(URL)]


def test_qt_reads_this_system_in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux that is the environment."""
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "elsewhere.example.org")
    assert proxy_by_qt(URL) == "http://proxy.example:3128"
    assert proxy_by_qt("https://elsewhere.example.org/ws") is None


def test_settings_that_take_too_long_or_fail_name_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setattr("texswarm_desktop.qtx.desktop_proxy._LIMIT_S", 0.001)
    assert proxy_by_qt(URL) is None
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert proxy_by_qt(URL) is None
