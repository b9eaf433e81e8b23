"""Whether a project, its folder and its server are the same, and everything is durably stored."""

from contextlib import suppress

from texswarm_desktop.services.project import Project
from texswarm_server.protocol.errors import FilePathError


async def is_at_rest(project: Project) -> bool:
    """Take in and write what there is, and say whether nothing is left to do; raises StorageError as `flush` does."""
    sync = project.shared.sync
    if sync is None or not sync.is_synced:
        return False
    opening, has_figures = sync.handle, sync.blobs is not None
    if has_figures and not project.blobs.is_settled:
        return False
    await project.taken_in()
    with suppress(FilePathError):  # told for each file
        await project.flush()
    is_all_there = not has_figures or project.blobs.is_settled
    is_same = sync.handle == opening and project.shared.sync is sync
    return is_same and project.unacknowledged() == 0 and is_all_there


def missing_figures(project: Project) -> tuple[str, ...]:
    """Return the paths of figures that neither this computer has nor the server; none while that is not known."""
    sync = project.shared.sync
    can_arrive = sync is None or not sync.is_synced or sync.blobs is None or not sync.blobs.is_settled
    return () if can_arrive else tuple(project.blobs.missing)
