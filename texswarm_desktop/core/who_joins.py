"""Who may join what is shared from this computer. Pure."""

from enum import StrEnum
from typing import Self


class WhoJoins(StrEnum):
    """Two choices of the host's, each free of the other; whoever has the link or the join code may join by them.

    Whether anybody on this network may join, by the list of hosts (`is_open`): the default, because one click shares
    with the network, and to join is to pick the host from the list. Else the list shows the host and lets nobody in.
    And whether everybody waits until the host lets them in (`asks`), by whichever way they come.
    """

    ANYBODY = "anybody"
    ASKED = "asked"
    INVITED = "invited"
    INVITED_AND_ASKED = "invited_and_asked"

    @property
    def is_open(self) -> bool:
        """Whether the list lets people in."""
        return self in {WhoJoins.ANYBODY, WhoJoins.ASKED}

    @property
    def asks(self) -> bool:
        """Whether the host is asked about everybody."""
        return self in {WhoJoins.ASKED, WhoJoins.INVITED_AND_ASKED}

    @classmethod
    def by(cls, *, is_open: bool, asks: bool) -> Self:
        """Return what both choices make together."""
        return next(one for one in cls if (one.is_open, one.asks) == (is_open, asks))
