"""Reads the templates that come with the program, and the first paper. Every function blocks."""

from pathlib import Path
from typing import Final

from texswarm_desktop.core.templates import Template, filled_in
from texswarm_desktop.services.resources import resource

_WELCOME: Final = "welcome"


def template_files(template: Template, *, title: str, author: str) -> dict[str, str]:
    """Return what a new project is made of (path, text)."""
    return filled_in(_texts(resource(f"templates/{template}")), title=title, author=author)


def welcome_files() -> dict[str, str]:
    """Return the small paper of a first start (path, text)."""
    return _texts(resource(_WELCOME))


def _texts(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
