"""What TeX reads is told from comments and from text that is shown as it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.latex_mask import read_source, verbatim_names, without_comments


def read(text: str) -> str:
    """Return what is read, with one blank for many."""
    return " ".join(read_source(text).masked.split())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a % \\input{x}\nb", "a b"),
        (r"100\% of \input{x}", r"100\% of \input{x}"),
        (r"a\\% gone", r"a\\"),
        (r"\verb|% \input{x}| b", r"\verb| | b"),
        (r"\verb*+%+ b", r"\verb*+ + b"),
        (r"\lstinline[language=C]!%d! b", r"\lstinline[language=C]! ! b"),
        (r"\verbatiminput{x} b", r"\verbatiminput{x} b"),
        ("\\begin{verbatim}\n% \\input{x}\n\\end{verbatim} b", "\\begin{verbatim} \\end{verbatim} b"),
        ("\\begin{lstlisting}[x]\n\\input{x}\n\\end{lstlisting}", "\\begin{lstlisting} \\end{lstlisting}"),
        ("\\begin{filecontents*}{a}\n\\input{x}\n\\end{filecontents*}", "\\begin{filecontents*} \\end{filecontents*}"),
        ("\\begin{comment}\n\\input{x}\n\\end{comment} b", "\\begin{comment} \\end{comment} b"),
        ("a\n\\begin{comment}\n\\input{x}\n\\end{comment}\nb", "a b"),
        ("\\begin{verbatim}\nnever ends", "\\begin{verbatim}"),
        (r"\url{http://x/a%20b} c", r"\url{ } c"),
        (r"\href{http://x/a%20b}{text} c", r"\href{ }{text} c"),
        (r"\url{http://x/ab} c", r"\url{http://x/ab} c"),
        ("\\end{document}\n\\input{x}", "\\end{document}"),
        ("a\n\\endinput\n\\input{x}", "a"),
        ("\\ifx\\a\\b\\endinput\\fi\n\\input{x}", "\\ifx\\a\\b\\endinput\\fi \\input{x}"),
    ],
)
def test_what_is_read_is_left(text: str, left: str) -> None:
    assert read(text) == left


def test_an_environment_that_the_source_defines_is_known() -> None:
    definitions = "\\lstnewenvironment{code}{}{}\n\\DefineVerbatimEnvironment{Out}{Verbatim}{}"
    names = verbatim_names([definitions])
    assert names == {"code", "Out"}
    assert "%" not in read_source("\\begin{code}\n% x\n\\end{code}", names).masked
    assert read_source("\\begin{code}\n% x\n\\end{code}", names).comments == ()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a % secret\nb\n", "a %\nb\n"),
        ("a%\nb\n", "a%\nb\n"),
        ("% secret\na\n", "a\n"),
        ("a\n  % secret\n\nb\n", "a\n\nb\n"),
        ("a\n% one\n% two\nb", "a\nb"),
        ("a\n% last", "a\n"),
        ("% all", ""),
        (r"5\% of % secret" + "\n", r"5\% of %" + "\n"),
        ("\\verb|%x| % secret\n", "\\verb|%x| %\n"),
        ("\\begin{verbatim}\n% shown\n\\end{verbatim}\n", "\\begin{verbatim}\n% shown\n\\end{verbatim}\n"),
        ("\\url{http://x/a%20b}\n", "\\url{http://x/a%20b}\n"),
        ("%&pdflatex\na\n", "%&pdflatex\na\n"),
        ("% !TeX program = xelatex\na\n", "% !TeX program = xelatex\na\n"),
        ("a\n\\end{document}\nsecret\n% secret", "a\n\\end{document}\n"),
        ("a\n\\begin{comment}\nsecret\n\\end{comment}\nb\n", "a\nb\n"),
        ("\\end{document} % secret\n", "\\end{document} %\n"),
    ],
)
def test_comments_go_and_the_ends_of_lines_stay(text: str, left: str) -> None:
    assert without_comments(read_source(text)) == left


PIECES = st.sampled_from(
    (
        *("%", "\n", "\\", "{", "}", "\\verb|", "|", "a", " ", "\\begin{verbatim}", "\\end{verbatim}", "\\url{"),
        *("\\input{x}", "\\begin{comment}", "\\end{comment}", "\\end{document}", "\\endinput", "é😀", "\r", "\\%", "["),
    )
)
SOURCES = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=20).map("".join))


@given(SOURCES)
def test_any_text_can_be_looked_through(text: str) -> None:
    source = read_source(text)
    assert len(source.masked) == len(text)
    assert [at for at, one in enumerate(source.masked) if one == "\n"] <= [
        at for at, one in enumerate(text) if one == "\n"
    ]
    assert all(kept in (there, " ") for kept, there in zip(source.masked, text, strict=True))


@given(SOURCES)
def test_what_is_left_without_comments_has_no_words_in_them(text: str) -> None:
    left = read_source(without_comments(read_source(text)))
    for start, stop in left.comments:
        assert left.text[start:stop].strip() == "%" or not left.text[start:stop].startswith("%")
