"""What comes back over a wire is read carefully: anybody may be at the other end."""

import pytest

from texswarm_desktop.client.check_up import http_fact, proxy_of
from texswarm_desktop.core.doctor import HttpFact
from texswarm_server.protocol.invite_link import ServerAddress


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        (b"", HttpFact(0)),
        (b"220 mail.example ESMTP\r\n", HttpFact(0)),
        (b"HTTP/1.1\r\n\r\n", HttpFact(0)),
        (b"HTTP/1.1 two hundred\r\n\r\n", HttpFact(0)),
        (b"\x15\x03\x03\x00\x02\x02\x46", HttpFact(0)),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", HttpFact(404)),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nhello", HttpFact(200, is_page=True)),
        (b"HTTP/1.1 200 OK\r\n\r\n<HTML>sign in", HttpFact(200, is_page=True)),
        (b'HTTP/1.1 200 OK\r\n\r\n{"server_version": "1.2"}', HttpFact(200, "1.2")),
        (b'HTTP/1.1 200 OK\r\n\r\n{"server_version": 12}', HttpFact(200)),
        (b'HTTP/1.1 200 OK\r\n\r\n{"client_address": "10.0.0.7"}', HttpFact(200, seen_as="10.0.0.7")),
        (b'HTTP/1.1 200 OK\r\n\r\n{"client_address": "your bank"}', HttpFact(200)),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 9000, HttpFact(200)),
        (b"HTTP/1.1 200 OK\r\n\r\n[1]", HttpFact(200)),
        (b"HTTP/1.1 200 OK\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n\r\n", HttpFact(200, date_s=1_700_000_000.0)),
        (b"HTTP/1.1 200 OK\r\nDate: yesterday\r\n\r\n", HttpFact(200)),
    ],
)
def test_an_answer_is_http_and_ours_or_it_is_not(answer, fact):
    assert http_fact(answer) == fact


def test_a_proxy_is_named_without_its_password(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://ada:secret@proxy.example:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    assert proxy_of(ServerAddress("swarm.example.org", tls=True)) == ("proxy.example", 3128)
    assert proxy_of(ServerAddress("10.0.0.5", tls=True)) is None
