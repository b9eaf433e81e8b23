"""What a new project's main file begins with. Pure."""

from typing import Final

_ESCAPED: Final = {character: f"\\{character}" for character in "#$%&_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def first_text(title: str) -> str:
    """Return what a new project's main file begins with."""
    name = "".join(_ESCAPED.get(character, character) for character in title)
    return (
        "\\documentclass{article}\n\n"
        f"\\title{{{name}}}\n\\author{{}}\n\n"
        "\\begin{document}\n\\maketitle\n\n\n\n\\end{document}\n"
    )
