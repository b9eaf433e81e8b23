from texswarm_desktop.client.backoff import delay_s
from texswarm_desktop.client.timing import LAN, REMOTE


def test_the_waits_are_those_of_the_product():
    assert [delay_s(LAN, n, 1.0) for n in range(1, 9)] == [0, 0.25, 0.5, 1, 2, 5, 5, 5]
    assert [delay_s(REMOTE, n, 1.0) for n in range(1, 10)] == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_jitter_stretches_the_wait():
    assert (delay_s(LAN, 4, 0.5), delay_s(LAN, 4, 1.5)) == (0.5, 1.5)
