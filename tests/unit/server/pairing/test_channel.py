"""The channel of an exchange: another for another certificate, and never that of a connection without TLS."""

from texswarm_server.pairing.channel import PLAIN, channel_of


def test_each_certificate_is_a_channel_of_its_own() -> None:
    assert len({channel_of(None), channel_of(b"one"), channel_of(b"other"), channel_of(PLAIN)}) == 4
