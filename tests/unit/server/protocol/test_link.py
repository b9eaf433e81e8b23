"""Which order is legal when: the whole table."""

import pytest

from texswarm_server.protocol.link import LinkPhase, Rule, frame_rule, order_rule
from texswarm_server.protocol.messages import ORDERS, Authentication, Heartbeat, Order


@pytest.mark.parametrize("kind", ORDERS)
def test_before_the_sign_in_nothing_else_is_accepted(kind: type[Order]) -> None:
    expected = {Authentication: Rule.ACCEPT, Heartbeat: Rule.IGNORE}.get(kind, Rule.REFUSE)

    assert order_rule(LinkPhase.GREETING, kind) is expected


@pytest.mark.parametrize("kind", ORDERS)
def test_after_the_sign_in_everything_is_accepted(kind: type[Order]) -> None:
    assert order_rule(LinkPhase.SIGNED_IN, kind) is (Rule.IGNORE if kind is Heartbeat else Rule.ACCEPT)


@pytest.mark.parametrize("kind", ORDERS)
def test_after_the_end_nothing_is_looked_at(kind: type[Order]) -> None:
    assert order_rule(LinkPhase.CLOSED, kind) is Rule.IGNORE


def test_document_traffic_flows_only_while_signed_in() -> None:
    assert {phase: frame_rule(phase) for phase in LinkPhase} == {
        LinkPhase.GREETING: Rule.REFUSE,
        LinkPhase.SIGNED_IN: Rule.ACCEPT,
        LinkPhase.CLOSED: Rule.IGNORE,
    }
