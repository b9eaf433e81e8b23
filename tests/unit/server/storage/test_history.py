"""Which former states are kept: dense for the recent past, thinner the older they are, within bounds."""

from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.storage.history import HistoryPolicy, Version

MINUTE, HOUR, DAY = 60.0, 3600.0, 24 * 3600.0
NOW = 10_000 * DAY
POLICY = HistoryPolicy()


def version(number: int, created_at: float, *, stored_bytes: int = 10, through: int = 0) -> Version:
    return Version(
        version_id=number,
        created_at=created_at,
        through=through or number,
        size_bytes=stored_bytes * 3,
        stored_bytes=stored_bytes,
    )


def kept(versions: list[Version], now: float = NOW, policy: HistoryPolicy = POLICY) -> list[Version]:
    gone = set(policy.superfluous(versions, now))
    return [each for each in versions if each.version_id not in gone]


def every(step_s: float, since_s: float, until_s: float = 0.0) -> list[Version]:
    """Versions at a steady pace from one age to another, oldest first."""
    count = int((since_s - until_s) / step_s)
    return [version(number + 1, NOW - since_s + number * step_s) for number in range(count)]


def test_the_last_day_is_kept_densely_and_a_year_is_thin() -> None:
    year = kept(every(5 * MINUTE, 365 * DAY))
    ages = [NOW - each.created_at for each in year]

    assert sum(age < DAY for age in ages) == 24 * 12 - 1
    assert 6 * 24 <= sum(DAY <= age < 7 * DAY for age in ages) <= 6 * 24 + 2
    assert 82 <= sum(7 * DAY <= age < 90 * DAY for age in ages) <= 85
    assert 38 <= sum(age >= 90 * DAY for age in ages) <= 42


def test_thinning_little_by_little_comes_to_the_same_as_thinning_at_once() -> None:
    """Stretches of time lie the same way every day; otherwise old versions would die out."""
    everything = every(HOUR, 60 * DAY)
    present: list[Version] = []
    for each in everything:
        present = kept([*present, each], each.created_at)

    assert {each.version_id for each in kept(present)} == {each.version_id for each in kept(everything)}


def test_beyond_the_bytes_allowed_the_oldest_go_first_and_the_newest_never() -> None:
    large = [version(number, NOW - (10 - number) * HOUR, stored_bytes=40) for number in range(1, 11)]

    assert [each.version_id for each in kept(large, policy=HistoryPolicy(max_bytes=100))] == [9, 10]
    assert [each.version_id for each in kept(large, policy=HistoryPolicy(max_bytes=1))] == [10]


@given(
    ages=st.lists(st.floats(-2 * DAY, 800 * DAY), max_size=60),
    sizes=st.lists(st.integers(1, 10_000_000), min_size=60, max_size=60),
    now=st.floats(NOW - 5 * DAY, NOW + 5 * DAY),
)
def test_whatever_the_clock_does_the_newest_stays_and_the_bytes_are_bounded(
    ages: list[float], sizes: list[int], now: float
) -> None:
    versions = [version(number + 1, NOW - age, stored_bytes=sizes[number]) for number, age in enumerate(ages)]
    left = kept(versions, now)

    assert left[-1:] == versions[-1:]
    assert len(left) <= 1 or sum(each.stored_bytes for each in left) <= POLICY.max_bytes
    assert kept(left, now) == left


def test_a_version_is_due_when_something_changed_and_not_too_often_while_people_write() -> None:
    latest = version(1, NOW, through=7)

    assert POLICY.is_due(None, 1, NOW, is_resting=False)
    assert not POLICY.is_due(None, 0, NOW, is_resting=True)
    assert not POLICY.is_due(latest, 7, NOW + DAY, is_resting=True)
    assert not POLICY.is_due(latest, 8, NOW + MINUTE, is_resting=False)
    assert POLICY.is_due(latest, 8, NOW + MINUTE, is_resting=True)
    assert POLICY.is_due(latest, 8, NOW + 6 * MINUTE, is_resting=False)
    assert POLICY.is_due(latest, 8, NOW - DAY, is_resting=False), "a clock that was set back"
