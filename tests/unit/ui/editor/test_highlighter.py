"""What is kept of a line fits into the number that Qt keeps with it."""

import pytest

from texswarm_desktop.ui.editor.highlighter import packed, unpacked


@pytest.mark.parametrize("values", [(0, 0, 0), (127, 127, 4095), (3, 64, 1)])
def test_what_is_kept_of_a_line_fits_into_a_positive_number_of_32_bits(values: tuple[int, int, int]) -> None:
    kept = packed(*values)
    assert 0 <= kept < 2**31
    assert unpacked(kept) == values
