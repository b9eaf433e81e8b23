"""The projects of this installation: where new ones are made, which folder holds which document, what was open last.

The projects folder is looked through one level deep; folders elsewhere are known by the list of recent projects.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from texswarm_desktop.core.folder_name import folder_name
from texswarm_desktop.core.joining import Road
from texswarm_desktop.core.settings import RecentProject
from texswarm_desktop.core.templates import Template
from texswarm_desktop.services.disk_errors import not_writable
from texswarm_desktop.services.project import Project
from texswarm_desktop.services.project_entry import is_open_elsewhere
from texswarm_desktop.services.project_identity import read_identity
from texswarm_desktop.services.settings_store import SettingsStore
from texswarm_desktop.services.templates import template_files, welcome_files
from texswarm_server.protocol.errors import NotReadableError, StorageError

if TYPE_CHECKING:
    from texswarm_desktop.services.coming_together import Joined
    from texswarm_desktop.services.observed_folder import ObservedFolder

T = TypeVar("T")

WELCOME_TITLE: Final = "A First Paper"


class Library:
    """Opens, makes and remembers projects. Whoever gets a project closes it."""

    def __init__(
        self,
        projects_folder: Path,
        *,
        settings: SettingsStore,
        executor: Executor,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._usual_folder = projects_folder
        self._settings = settings
        self._executor = executor
        self._wall_clock = wall_clock

    @property
    def projects_folder(self) -> Path:
        """Where new projects are made."""
        chosen = self._settings.settings.projects_folder
        return Path(chosen) if chosen else self._usual_folder

    async def open(self, folder: Path, *, ahead: bool = False) -> Project:
        """Open a folder, or (`ahead`) its replica before that was looked at; raises what `Project.open` raises."""
        return await Project.open(folder, store_executor=self._executor, bit_by_bit=True, ahead=ahead)

    async def observe(self, folder: Path, reason: StorageError) -> "ObservedFolder":
        """Only look at a folder that cannot be opened for `reason`; raises NotReadableError."""
        from texswarm_desktop.services.observed_folder import ObservedFolder  # noqa: PLC0415 - seldom needed

        return await ObservedFolder.open(folder, reason, executor=self._executor)

    async def is_open_elsewhere(self, folder: Path) -> bool:
        """Say whether another process has a project open, at this moment."""
        return await self._blocking(lambda: is_open_elsewhere(folder))

    async def create(self, title: str, files: Mapping[str, str]) -> Project:
        """Make a new project with `files` (path, text) in a folder named after its title; raises StorageError."""
        folder = await self._blocking(lambda: self._free_folder(title))
        return await Project.create(folder, title, files, store_executor=self._executor)

    async def create_from(self, template: Template, title: str, author: str) -> Project:
        """Make a new project as a template has it; raises StorageError."""
        return await self.create(
            title, await self._blocking(lambda: template_files(template, title=title, author=author))
        )

    async def create_welcome(self) -> Project:
        """Make the small paper that a first start opens; raises StorageError."""
        return await self.create(WELCOME_TITLE, await self._blocking(welcome_files))

    async def replica(self, document_id: str, lineage: str, title: str) -> Project:
        """Open the replica of a document that is here already, or make an empty one; raises StorageError."""
        known = await self._blocking(lambda: self._find(document_id, lineage))
        if known is not None:
            return await self.open(known)
        folder = await self._blocking(lambda: self._free_folder(title))
        return await Project.create_replica(folder, document_id, lineage, store_executor=self._executor)

    async def has(self, document_id: str, lineage: str) -> bool:
        """Say whether a replica of a document is here."""
        return await self._blocking(lambda: self._find(document_id, lineage)) is not None

    async def join(self, road: Road, folder: Path, document_id: str, lineage: str) -> "Joined":
        """Let a document take the place of what is in a folder, which is put aside first; raises StorageError."""
        from texswarm_desktop.services.coming_together import come_together  # noqa: PLC0415 - seldom gone

        return await come_together(road, folder, document_id, lineage, None, executor=self._executor)

    def remember(self, project: Project) -> None:
        """Note that a project is the one opened last."""
        link = project.server_link
        self._settings.add_recent(
            RecentProject(
                path=str(project.folder),
                title=project.document.title or project.folder.name,
                last_opened=self._wall_clock(),
                server=str(link.address) if link else "",
            )
        )

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _free_folder(self, title: str) -> Path:
        root = self.projects_folder
        try:
            root.mkdir(parents=True, exist_ok=True)
            taken = [entry.name for entry in root.iterdir()]
        except OSError as error:
            raise not_writable(root, error) from error
        return root / folder_name(title, taken)

    def _find(self, document_id: str, lineage: str) -> Path | None:
        """Return the folder that holds this history of the document."""
        for folder in self._places():
            with suppress(NotReadableError):
                identity = read_identity(folder)
                if identity is not None and (identity.document_id, identity.lineage) == (document_id, lineage):
                    return folder
        return None

    def _places(self) -> Iterator[Path]:
        yield from (Path(known.path) for known in self._settings.settings.recent)
        with suppress(OSError):
            yield from sorted(entry for entry in self.projects_folder.iterdir() if entry.is_dir())
