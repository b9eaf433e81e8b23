"""A line is lent: it sends like the socket it belongs to, and leaves that open."""

from __future__ import annotations

import gc
import socket

import pytest

from texswarm_server.net.line import Line


def test_a_line_sends_and_leaves_its_socket_open_when_it_is_gone() -> None:
    reader, writer = socket.socketpair()
    with reader, writer:
        line = Line(writer.family, writer.type, writer.proto, writer.fileno())
        assert line.send(b"by the line") == 11
        del line
        gc.collect()
        writer.sendall(b", by the socket")

        assert reader.recv(100) == b"by the line, by the socket"


def test_a_line_that_was_cut_off_reaches_nobody_who_got_its_number() -> None:
    reader, writer = socket.socketpair()
    with reader, writer:
        line = Line(writer.family, writer.type, writer.proto, writer.fileno())
        line.detach()

        with pytest.raises(OSError, match="Bad file descriptor"):
            line.send(b"for somebody else")
