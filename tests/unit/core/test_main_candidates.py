"""The main file is found as a person would find it."""

import pytest

from texswarm_desktop.core.main_candidates import main_candidate

WHOLE = "\\documentclass{article}\n\\begin{document}\nHello\n\\end{document}\n"


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({"main.tex": WHOLE, "a.tex": WHOLE}, "main.tex"),
        ({"a.tex": WHOLE, "chapters/one.tex": "Text"}, "a.tex"),
        ({"chapters/main.tex": WHOLE, "thesis.tex": WHOLE}, "thesis.tex"),
        ({"main.tex": "\\documentclass{subfiles}\n" + WHOLE[24:], "z.tex": WHOLE}, "z.tex"),
        ({"main.tex": "\\documentclass[tikz]{standalone}\n\\begin{document}", "z.tex": WHOLE}, "z.tex"),
        ({"main.tex": "% \\documentclass{article}\n", "z.tex": WHOLE}, "z.tex"),
        ({"main.tex": "\\documentclass[\n  a4paper % or letter\n]\n{article}\n\\begin{document}"}, "main.tex"),
        ({"x.tex": WHOLE, "y.tex": WHOLE + "More.\n"}, "y.tex"),
        ({"preamble.tex": "\\documentclass{article}", "y.tex": WHOLE}, "y.tex"),
        ({"preamble.tex": "\\documentclass{article}", "y.tex": "\\input{preamble}\n" + WHOLE[24:]}, "y.tex"),
        ({"a.tex": WHOLE[24:], "z.tex": WHOLE}, "z.tex"),
        ({"main.tex": "Only text."}, None),
        ({"readme.md": WHOLE}, None),
        ({}, None),
    ],
)
def test_the_main_file_is_found(texts: dict[str, str], found: str | None) -> None:
    assert main_candidate(texts) == found
