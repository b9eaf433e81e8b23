"""What comes back over a wire is read carefully: anybody may be at the other end."""

import pytest

from texswarm_desktop.client.check_up import http_fact, other_side_in
from texswarm_desktop.core.doctor import HttpFact, InterfaceFact, OtherSide
from texswarm_server.protocol.messages import InterfaceInfo, ServerDescribed


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
        (b'HTTP/1.1 200 OK\r\n\r\n{"protocol": 3, "oldest_protocol": 2}', HttpFact(200, protocols=(2, 3))),
        (b'HTTP/1.1 200 OK\r\n\r\n{"protocol": 3, "oldest_protocol": 4}', HttpFact(200, protocols=(3, 3))),
        (b'HTTP/1.1 200 OK\r\n\r\n{"protocol": true}', HttpFact(200)),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 9000, HttpFact(200)),
        (b"HTTP/1.1 200 OK\r\n\r\n[1]", HttpFact(200)),
        (b"HTTP/1.1 200 OK\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n\r\n", HttpFact(200, date_s=1_700_000_000.0)),
        (b"HTTP/1.1 200 OK\r\nDate: yesterday\r\n\r\n", HttpFact(200)),
        (b"HTTP/1.1 200 OK\r\nDate: Tue, " + b"9" * 30 + b" Nov 2023 22:13:20 GMT\r\n\r\n", HttpFact(200)),
        (b"HTTP/1.1 " + b"9" * 5000 + b" OK\r\n\r\n", HttpFact(0)),
    ],
)
def test_an_answer_is_http_and_ours_or_it_is_not(answer, fact):
    assert http_fact(answer) == fact


def test_of_what_a_server_says_of_itself_only_that_is_taken_which_makes_sense():
    told = [("wlan0", "192.168.1.9", 24), ("tun0", "10.8.0.2", 24), ("docker0", "172.17.0.1", 16), ("x", "no", 8)]
    told += [("a\nb" + "c" * 99, "10.0.0.1", 99), ("eth0", "fe80::1", 64)]
    described = ServerDescribed(
        port=1, client_address="your bank", protocol=2, oldest_protocol=1, firewall="x" * 99, announced=True,
        interfaces=[InterfaceInfo(name=name, address=address, prefix=prefix) for name, address, prefix in told],
    )  # fmt: skip
    known = (InterfaceFact("wlan0", "192.168.1.9", 24), InterfaceFact("a b" + "c" * 37, "10.0.0.1", 32))
    seen = other_side_in(described)
    assert seen == OtherSide(
        1, "", "x" * 40, is_announced=True, interfaces=(*known, InterfaceFact("tun0", "10.8.0.2", 24, is_vpn=True))
    )
