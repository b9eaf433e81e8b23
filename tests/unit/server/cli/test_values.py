"""Times, sizes, counts and switches as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.cli import values
from texswarm_server.cli.values import Kind

KINDS = {name: kind for name, kind in vars(values).items() if isinstance(kind, Kind)}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (values.TIME, "90", 90.0),
        (values.TIME, "1.5h", 5400.0),
        (values.TIME, " 2w ", 14 * 86400.0),
        (values.SIZE, "4096", 4096),
        (values.SIZE, "64k", 65536),
        (values.SIZE, "1 GiB", 2**30),
        (values.PORT, "0", 0),
        (values.COUNT, "12", 12),
        (values.DAYS, "0.5", 0.5),
        (values.SWITCH, "Yes", True),
        (values.SWITCH, "off", False),
        (values.LIST, "10.0.0.0/8, ::1,", ("10.0.0.0/8", "::1")),
        (values.choice_of(("text", "json")), "JSON", "json"),
        (values.or_off(values.TIME), "off", None),
        (values.or_off(values.TIME), "2m", 120.0),
        (values.or_zero(values.TIME), "0", 0.0),
        (values.or_zero(values.TIME), "3s", 3.0),
    ],
)
def test_what_can_be_read(kind: Kind, text: str, value: object) -> None:
    assert kind.read(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *[(values.TIME, text) for text in ("", "0", "-1d", "soon", "1y", "1e9", "1d1h", "٣", "9" * 12 + "w", "nan")],
        *[(values.SIZE, text) for text in ("0", "1.5M", "-1", "1X", "9999999T", "")],
        *[(values.PORT, text) for text in ("65536", "-1", "http", "²", "٣", "9" * 40)],
        *[(values.COUNT, text) for text in ("0", "-1", "many", "1.0")],
        *[(values.DAYS, text) for text in ("0", "-1", "1w")],
        *[(values.SWITCH, text) for text in ("2", "", "perhaps")],
        *[(values.TEXT, text) for text in ("", "  ", "a\nb", "\x1b[31m")],
        (values.choice_of(("text", "json")), "xml"),
    ],
)
def test_what_is_refused_says_what_would_do(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match=r"not |neither "):
        kind.read(text)


@given(st.integers(1, 10**9))
def test_a_time_that_is_shown_can_be_read(seconds: int) -> None:
    shown = values.show_time(float(seconds))
    assert values.read_time(shown) == pytest.approx(seconds, abs=1e-6)


@given(st.integers(1, 2**52))
def test_a_size_that_is_shown_is_exactly_read(size: int) -> None:
    assert values.read_size(values.show_size(size)) == size


@pytest.mark.parametrize("name", KINDS)
@given(text=st.text(max_size=20))
def test_nothing_but_a_value_error_comes_out(name: str, text: str) -> None:
    try:
        value = KINDS[name].read(text)
    except ValueError:
        return
    assert isinstance(KINDS[name].show(value), str)
