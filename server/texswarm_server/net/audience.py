"""The connections of those who hear what happens in a document, and the quickest way to write one message to all.

A frame of protocol 2 that needs no TLS goes straight into the socket of each connection on which nothing waits; one
system call is then nearly all that a delivery costs. Everybody else is served as `Peer` says.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import repeat

from texswarm_server.net.line import Line
from texswarm_server.net.peer import Peer
from texswarm_server.net.prepared_frame import Traffic


class Audience:
    """Made from peers at one moment; to be made anew when one of them comes or goes.

    Invariant: `_straight` are the peers whose sockets may be written to, `_lines` the ways there in the same order,
    as long as none of their listeners tells of a turnout.
    """

    def __init__(self, peers: Iterable[Peer]) -> None:
        peers = list(peers)
        self._framed = [peer for peer in peers if peer.takes_frames]
        self._others = [peer for peer in peers if not peer.takes_frames]
        self._listeners = list(
            {id(each): each for each in (peer.connection.siblings for peer in self._framed)}.values()
        )
        self._turnouts = -1
        self._straight: list[Peer] = []
        self._lines: list[Line] = []
        self._places: dict[Peer, int] = {}
        self._roundabout: list[Peer] = []
        self.size = len(peers)

    def deliver(self, traffic: Traffic, besides: Collection[Peer] = ()) -> None:
        """Pass on what happened in a document to all `besides` some."""
        frame = traffic.frame
        for peer, written in self._write(frame, besides):
            peer.outbox.write(frame[written:] if written else frame)
        for peer in self._others:
            if peer not in besides:
                peer.deliver(traffic)

    def deliver_presence(self, traffic: Traffic, besides: Collection[Peer] = ()) -> None:
        """Pass on who is where to all `besides` some; dropped for who reads too slowly."""
        frame = traffic.frame
        for peer, written in self._write(frame, besides):
            if written:  # half a frame must be followed by the other half
                peer.outbox.write(frame[written:])
            else:
                peer.outbox.write_presence(frame)
        for peer in self._others:
            if peer not in besides:
                peer.deliver_presence(traffic)

    def _write(self, frame: bytes, besides: Collection[Peer]) -> Iterator[tuple[Peer, int]]:
        """Write straight where that works; yield who has not got all, and how many bytes of it they have."""
        if self._turnouts != sum(each.turnouts for each in self._listeners):
            self._look()
        straight, lines = self._without(besides)
        sizes = _send_to_all(lines, frame)
        if sizes.count(len(frame)) != len(sizes):
            for peer, size in zip(straight, sizes, strict=True):
                if size < 0:
                    peer.connection.direct = None
                if size < len(frame):
                    yield peer, max(size, 0)
        for peer in self._roundabout:
            if peer not in besides:
                yield peer, 0

    def _look(self) -> None:
        """Find out anew whose socket may be written to."""
        self._turnouts = sum(each.turnouts for each in self._listeners)
        found = [(peer, line) for peer in self._framed if (line := peer.connection.direct) is not None]
        self._straight, self._lines = [peer for peer, _line in found], [line for _peer, line in found]
        self._places = {peer: place for place, peer in enumerate(self._straight)}
        self._roundabout = [peer for peer in self._framed if peer.connection.direct is None]

    def _without(self, besides: Collection[Peer]) -> tuple[list[Peer], list[Line]]:
        places = sorted((self._places[peer] for peer in besides if peer in self._places), reverse=True)
        if not places:
            return self._straight, self._lines
        straight, lines = self._straight.copy(), self._lines.copy()
        for place in places:
            del straight[place], lines[place]
        return straight, lines


def _send_to_all(lines: list[Line], frame: bytes) -> list[int]:
    """Return how many bytes each socket took; -1 where it is full or broken, which its transport finds out.

    The loop over the lines is one of the interpreter's own: beside the system call there is hardly anything.
    """
    sizes: list[int] = []
    while len(sizes) < len(lines):
        try:
            sizes.extend(map(Line.send, lines[len(sizes) :] if sizes else lines, repeat(frame)))
        except OSError:  # what was sent before it is in the list
            sizes.append(-1)
    return sizes
