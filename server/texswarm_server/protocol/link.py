"""Which order is legal when, on one connection of protocol 2.

One machine per connection, fed by the driver at each end: greeting until `AuthenticationResult {ok: true}`, then
signed in, then closed. Left out: what an order is about (documents, roles), and time.
"""

from enum import Enum

from texswarm_server.protocol.errors import ErrorCode
from texswarm_server.protocol.messages import Authentication, Heartbeat, Order


class LinkPhase(Enum):
    """How far a connection is."""

    GREETING = "greeting"
    SIGNED_IN = "signed_in"
    CLOSED = "closed"


class Rule(Enum):
    """What becomes of an order."""

    ACCEPT = "accept"
    IGNORE = "ignore"
    REFUSE = "refuse"


REFUSAL = ErrorCode.AUTHENTICATION_REQUIRED
"""The code that answers whatever comes before its time."""

_GREETING_RULES: dict[type[Order], Rule] = {Authentication: Rule.ACCEPT, Heartbeat: Rule.IGNORE}
_SIGNED_IN_RULES: dict[type[Order], Rule] = {Heartbeat: Rule.IGNORE}


def order_rule(phase: LinkPhase, kind: type[Order]) -> Rule:
    """Say what becomes of an order of this kind."""
    match phase:
        case LinkPhase.GREETING:
            return _GREETING_RULES.get(kind, Rule.REFUSE)
        case LinkPhase.SIGNED_IN:
            return _SIGNED_IN_RULES.get(kind, Rule.ACCEPT)
        case LinkPhase.CLOSED:
            return Rule.IGNORE


def frame_rule(phase: LinkPhase) -> Rule:
    """Say what becomes of a binary frame."""
    match phase:
        case LinkPhase.GREETING:
            return Rule.REFUSE
        case LinkPhase.SIGNED_IN:
            return Rule.ACCEPT
        case LinkPhase.CLOSED:
            return Rule.IGNORE
