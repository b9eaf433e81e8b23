"""A folder as people read it."""

from pathlib import Path


def shown_folder(folder: Path) -> str:
    """Return a folder with `~` for the home folder."""
    home = Path.home()
    return f"~/{folder.relative_to(home).as_posix()}" if folder.is_relative_to(home) else str(folder)
