"""Who may join what is shared from this computer. Pure."""

from enum import StrEnum


class WhoJoins(StrEnum):
    """One choice of the host's; whoever has the link or the join code may join by each of them.

    `ANYBODY` on this network may, by the list. It is the default: one click shares with the network, and to join is to
    pick the host from the list. `ASKED`: so too, but everybody waits until the host lets them in, also who has the
    link or the code. `INVITED`: the list shows the host and lets nobody in.
    """

    ANYBODY = "anybody"
    ASKED = "asked"
    INVITED = "invited"
