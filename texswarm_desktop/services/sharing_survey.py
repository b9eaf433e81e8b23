"""What patterns would come to in a folder, before they are said for good. Changes nothing; every function blocks."""

from collections.abc import Collection
from pathlib import Path

from texswarm_desktop.core.ignore_rules import Sharing
from texswarm_desktop.core.project_files import may_be_binary
from texswarm_desktop.core.sharing_preview import SharingPreview, preview
from texswarm_desktop.services.figure_folder import is_product
from texswarm_desktop.services.folder_walk import FolderWalk


def sharing_of(folder: Path) -> Sharing:
    """Return what is said now; raises NotReadableError where that cannot be read."""
    walk = FolderWalk(folder)
    sharing = walk.sharing()
    if walk.problem is not None:
        raise walk.problem
    return sharing


def survey_sharing(folder: Path, sharing: Sharing, in_project: Collection[str]) -> SharingPreview:
    """Go through the whole folder with these patterns; raises NotReadableError.

    `in_project`: what is shared already, and stays so.
    """
    walked = FolderWalk(folder, takes=may_be_binary, draft=sharing).walk()
    products = {path for path in walked.files if path not in in_project and is_product(folder / path)}
    return preview(sharing, set(walked.files) - products, {*walked.left_out, *products}, in_project)
