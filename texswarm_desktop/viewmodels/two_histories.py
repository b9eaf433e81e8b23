"""Two histories of one document, side by side: what somebody has to know to choose between them."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from texswarm_desktop.client.document_preview import DocumentPreview, files_of, look_at
from texswarm_desktop.client.server_talk import listed
from texswarm_desktop.core.file_differences import Change, FileDifference, differences
from texswarm_server.protocol.errors import ErrorCode, LinkTimeoutError, RejectedError
from texswarm_server.protocol.invite_link import InviteLink

if TYPE_CHECKING:
    from texswarm_desktop.client.connection import Connection
    from texswarm_desktop.services.project import Project
    from texswarm_server.protocol.messages import DocumentInfo

_LOOK_LIMIT_S: Final = 30.0


class TwoHistories(msgspec.Struct, frozen=True):
    """`folder`: its name here; `lineage`: of the server's; `files` differ, as seen from here, or are the same.

    `document`: where the server's is another document of the same origin, which can be merged: by this link.
    """

    server: str
    folder: str
    lineage: str
    files: tuple[FileDifference, ...]
    document: InviteLink | None = None

    @property
    def different(self) -> tuple[FileDifference, ...]:
        """The files that are not the same."""
        return tuple(file for file in self.files if file.change is not Change.SAME)

    @property
    def same(self) -> int:
        """How many files are the same."""
        return len(self.files) - len(self.different)


async def compare_histories(project: "Project", connection: "Connection") -> TwoHistories:
    """Look at the server's document beside the one here; changes nothing. Raises RejectedError or LinkError.

    The project is not on the connection meanwhile.
    """
    chosen = next((one for one in await listed(connection) if one.id == project.document_id), None)
    if chosen is None:
        raise RejectedError(ErrorCode.DOCUMENT_NOT_FOUND)
    return await _compared(project, connection, chosen)


async def compare_with_copy(
    project: "Project", connection: "Connection", chosen: "DocumentInfo", link: InviteLink
) -> TwoHistories:
    """Look at another document of the project's origin beside it, as `compare_histories`; `link` leads there."""
    return msgspec.structs.replace(
        await _compared(project, connection, chosen), document=replace(link, document_id=chosen.id)
    )


async def _compared(project: "Project", connection: "Connection", chosen: "DocumentInfo") -> TwoHistories:
    preview = await _preview(connection, chosen.id, chosen.lineage)
    files = differences(files_of(project.document), preview.files)
    return TwoHistories(str(connection.address), project.folder.name, chosen.lineage, tuple(files))


async def _preview(connection: "Connection", document_id: str, lineage: str) -> DocumentPreview:
    try:
        async with asyncio.timeout(_LOOK_LIMIT_S):
            return await look_at(connection, document_id, lineage)
    except TimeoutError as error:
        raise LinkTimeoutError("the document did not arrive") from error
