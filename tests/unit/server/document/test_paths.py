"""Which paths a project takes, which file LaTeX is run on, and what is done about a name that is taken."""

import pytest

from texswarm_server.document.paths import free_path, is_safe_path, usual_main


@pytest.mark.parametrize(
    "path", ["", "/a", "../a", "a/../b", "a//b", "a\\b", "C:x", "a\n", "./a", ".", "a/", "x" * 2000]
)
def test_a_path_that_leaves_the_project_or_is_none_is_not_safe(path: str) -> None:
    assert not is_safe_path(path)


@pytest.mark.parametrize("path", ["a", "main.tex", "chapters/one.tex", "a b/\u00e9.png", ".latexmkrc", "x" * 1024])
def test_a_plain_relative_path_is_safe(path: str) -> None:
    assert is_safe_path(path)


@pytest.mark.parametrize(
    ("paths", "main"),
    [
        (["z.tex", "main.tex", "a.tex"], "main.tex"),
        (["z.tex", "b/main.tex", "refs.bib"], "b/main.tex"),
        (["refs.bib"], None),
        ([], None),
    ],
)
def test_latex_is_run_on_main_tex_or_else_on_the_first_source(paths: list[str], main: str | None) -> None:
    assert usual_main(paths) == main


def test_a_number_is_put_behind_the_name_as_long_as_that_is_taken() -> None:
    taken = {"s/a.tex", "s/a (2).tex", "b"}

    assert [free_path(path, taken) for path in ("s/a.tex", "a.tex", "b")] == ["s/a (3).tex", "a.tex", "b (2)"]
