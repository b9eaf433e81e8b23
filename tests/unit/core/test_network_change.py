import pytest

from texswarm_desktop.core.network_change import NetworkChange, change_between


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        ([], [], None),
        (["10.0.0.2", "fd00::2"], ["fd00::2", "10.0.0.2"], None),
        (["10.0.0.2"], [], NetworkChange.GONE),
        ([], ["10.0.0.2"], NetworkChange.ANOTHER),
        (["10.0.0.2"], ["10.0.0.9"], NetworkChange.ANOTHER),
        (["10.0.0.2"], ["10.0.0.2", "10.8.0.6"], NetworkChange.ANOTHER),
        (["10.0.0.2", "10.8.0.6"], ["10.0.0.2"], NetworkChange.ANOTHER),
    ],
)
def test_a_network_is_gone_or_another_one(before, now, change):
    assert change_between(before, now) is change
