"""Whether a host is the one it was: known, new, or changed, which is never passed over."""

import pytest

from texswarm_desktop.core.trust import Trust, judge

KNOWN = {"ada": "aa" * 32}


@pytest.mark.parametrize(
    ("key", "fingerprint", "trust"),
    [
        ("ada", "aa" * 32, Trust.KNOWN),
        ("ada", "bb" * 32, Trust.CHANGED),
        ("ada", None, Trust.CHANGED),
        ("bob", "aa" * 32, Trust.NEW),
        ("bob", None, Trust.PLAIN),
    ],
)
def test_a_host_is_judged_by_what_it_showed_before(key: str, fingerprint: str | None, trust: Trust) -> None:
    assert judge(KNOWN, key, fingerprint) is trust


@pytest.mark.parametrize("key", ["ada", "bob"])
def test_nobody_is_warned_of_themself(key: str) -> None:
    assert judge(KNOWN, key, "cc" * 32, own="cc" * 32) is Trust.KNOWN
    assert judge(KNOWN, key, None, own=None) is not Trust.KNOWN
