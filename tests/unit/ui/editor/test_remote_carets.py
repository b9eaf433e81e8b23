"""A name shows for a moment and fades; nothing is painted again while none does."""

import pytest

from texswarm_desktop.ui.editor.remote_carets import FLAG_FADE_S, FLAG_SHOWN_S, flag_opacity, next_frame


def test_a_flag_stays_and_then_fades() -> None:
    ages = [0.0, FLAG_SHOWN_S, FLAG_SHOWN_S + FLAG_FADE_S / 2, FLAG_SHOWN_S + FLAG_FADE_S, 1e6]
    assert [flag_opacity(age) for age in ages] == pytest.approx([1, 1, 0.5, 0, 0])


def test_nothing_is_repainted_while_no_flag_changes() -> None:
    assert next_frame([]) is None
    assert next_frame([100.0]) is None
    assert next_frame([0.5]) == pytest.approx(FLAG_SHOWN_S - 0.5)
    assert next_frame([0.5, FLAG_SHOWN_S + 0.1]) == pytest.approx(0.033)
