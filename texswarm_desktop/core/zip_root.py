"""Whether the one folder that everything in an archive is in belongs to the project. Pure.

Forges and file managers wrap what they pack into a folder, which is taken away again. But where a source names that
folder, `\\input{paper/intro}` say, it is run from above it, and finds nothing once the folder is gone.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final

from texswarm_desktop.core.latex_mask import read_source

#: What a command adds to a name; the first is for a name that has its ending, or of a folder.
_ENDINGS: Final = ("", ".tex", ".bib", ".bst", ".sty", ".cls", ".pdf", ".png", ".jpg", ".jpeg", ".eps")


def is_named(root: str, paths: Collection[str], texts: Iterable[str]) -> bool:
    """Say whether one of the `texts` names a file, or a folder, in the folder `root`.

    `paths`: of all files, as they are without it. What is there without it as well is taken for meant so.
    """
    places = {*paths, *(parent for path in paths for parent in _above(path))}
    name = re.compile(rf'[{{,"\s](?:\./)?{re.escape(root)}/([^}},"\s]+)')
    found = {one.strip("/") for text in texts if f"{root}/" in text for one in name.findall(read_source(text).masked)}
    return any(
        f"{inside}{ending}" in places and f"{root}/{inside}{ending}" not in places
        for inside in found
        for ending in _ENDINGS
    )


def _above(path: str) -> Iterable[str]:
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))
