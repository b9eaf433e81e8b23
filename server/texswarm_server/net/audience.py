"""The connections of those who hear what happens in a document, and the quickest way to write one message to all.

A frame of protocol 2 that needs no TLS goes straight into the socket of each connection on which nothing waits; one
system call is then nearly all that a delivery costs. Everybody else is served as `Peer` says.
"""

import os
from collections.abc import Iterable

from texswarm_server.net.peer import Peer
from texswarm_server.net.prepared_frame import Traffic


class Audience:
    """Made from peers at one moment; to be made anew when one of them comes or goes."""

    def __init__(self, peers: Iterable[Peer]) -> None:
        peers = list(peers)
        self._lines = [(peer, peer.connection, peer.outbox) for peer in peers if peer.takes_frames]
        self._others = [peer for peer in peers if not peer.takes_frames]
        self.size = len(peers)

    def deliver(self, traffic: Traffic, besides: tuple[Peer, ...] = ()) -> None:
        """Pass on what happened in a document to all `besides` some."""
        frame, write = traffic.frame, os.write
        size = len(frame)
        for peer, connection, outbox in self._lines:
            if besides and peer in besides:
                continue
            written = 0
            if (line := connection.direct) >= 0:
                try:
                    written = write(line, frame)
                except OSError:  # full, or broken: the transport finds out
                    connection.direct = -1
                if written == size:
                    continue
            outbox.write(frame[written:] if written else frame)
        for peer in self._others:
            if peer not in besides:
                peer.deliver(traffic)

    def deliver_presence(self, traffic: Traffic, besides: tuple[Peer, ...] = ()) -> None:
        """Pass on who is where to all `besides` some; dropped for who reads too slowly."""
        frame, write = traffic.frame, os.write
        size = len(frame)
        for peer, connection, outbox in self._lines:
            if besides and peer in besides:
                continue
            if (line := connection.direct) >= 0:
                try:
                    written = write(line, frame)
                except OSError:
                    written, connection.direct = 0, -1
                if written == size:
                    continue
                if written:  # half a frame must be followed by the other half
                    outbox.write(frame[written:])
                    continue
            outbox.write_presence(frame)
        for peer in self._others:
            if peer not in besides:
                peer.deliver_presence(traffic)
