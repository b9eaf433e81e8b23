"""The error tree of the project, the codes that travel on the wire, and the verdict on each.

An error carries data for code and logs; words for the user are chosen in the desktop's `ui` only.
"""

from enum import Enum, StrEnum
from typing import ClassVar


class ErrorCode(StrEnum):
    """Every code a server of this version sends; clients keep codes they do not know as plain text."""

    # who you are
    AUTHENTICATION_REQUIRED = "authentication_required"
    TOKEN_MISSING = "token_missing"  # noqa: S105 - a code, not a secret
    TOKEN_INVALID = "token_invalid"  # noqa: S105
    TOKEN_EXPIRED = "token_expired"  # noqa: S105
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    INVITE_EXPIRED = "invite_expired"
    INVITE_USED_UP = "invite_used_up"
    INVITE_REVOKED = "invite_revoked"
    IDENTITY_MISMATCH = "identity_mismatch"
    PROTOCOL_UNSUPPORTED = "protocol_unsupported"
    CODE_WRONG = "code_wrong"
    CODE_EXPIRED = "code_expired"
    CERTIFICATE_OTHER = "certificate_other"
    THROTTLED = "throttled"
    REMOVED = "removed"
    APPROVAL_PENDING = "approval_pending"
    APPROVAL_DECLINED = "approval_declined"
    APPROVAL_EXPIRED = "approval_expired"
    # what you asked for
    DOCUMENT_NOT_FOUND = "document_not_found"
    NOT_FOUND = "not_found"
    DOCUMENT_EXISTS = "document_exists"
    LINEAGE_MISMATCH = "lineage_mismatch"
    FORBIDDEN = "forbidden"
    LAST_OWNER = "last_owner"
    NAME_INVALID = "name_invalid"
    HANDLE_UNKNOWN = "handle_unknown"
    UPDATE_INVALID = "update_invalid"
    INVALID_OPERATION = "invalid_operation"
    LIMIT_EXCEEDED = "limit_exceeded"
    BLOB_INVALID = "blob_invalid"
    # how you said it
    PARSE_ERROR = "parse_error"
    INVALID_PAYLOAD = "invalid_payload"
    UNKNOWN_MESSAGE = "unknown_message"
    FRAME_INVALID = "frame_invalid"
    # our side
    OVER_CAPACITY = "over_capacity"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    DOCUMENT_RELOADED = "document_reloaded"
    DOCUMENT_READ_ONLY = "document_read_only"
    INTERNAL_ERROR = "internal_error"
    # the first generation
    AUTH_SUCCESS = "auth_success"
    AUTH_FAILED = "auth_failed"


class ReadOnlyReason(StrEnum):
    """Why a document is shown and takes no edits: parts of it, or of the whole database, cannot be read."""

    DOCUMENT_DAMAGED = "document_damaged"
    DATABASE_DAMAGED = "database_damaged"


class Verdict(Enum):
    """What a client does after an error: try again by itself, or stop and tell the user."""

    RETRY = "retry"
    STOP = "stop"


class TexSwarmError(Exception):
    """Root of every error this project raises on purpose."""

    verdict: ClassVar[Verdict] = Verdict.STOP


class ProtocolError(TexSwarmError):
    """The two ends do not speak the same language."""


class LocalProtocolError(ProtocolError):
    """We were about to send something the protocol does not allow: our mistake."""


class RemoteProtocolError(ProtocolError):
    """The other end sent something the protocol does not allow."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class LinkError(TexSwarmError):
    """The connection could not be made or did not last; trying again may help."""

    verdict = Verdict.RETRY


class LinkRefusedError(LinkError):
    """Nobody answered at that address, or the answer was not a WebSocket of ours."""


class LinkLostError(LinkError):
    """An open connection ended without being closed by either side's wish."""


class LinkTimeoutError(LinkError):
    """The other end was silent for longer than the profile allows."""


class RejectedError(TexSwarmError):
    """The server understood and said no."""

    def __init__(self, code: str, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s


class OneOriginError(RejectedError):
    """The folder holds another document of the same origin: both can be kept, or be merged."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.LINEAGE_MISMATCH, "another document of the same origin")


class StorageError(TexSwarmError):
    """Something could not be read from or written to disk."""


class NotWritableError(StorageError):
    """The disk is full, read-only, or permission was refused; memory still holds what was typed."""


class DiskFullError(NotWritableError):
    """There is no room left on the disk."""


class WriteDeniedError(NotWritableError):
    """A file or folder, or the whole disk, is read-only, or permission was refused."""


class FolderTakenError(NotWritableError):
    """A folder in which something new is to be made holds something already."""


class NotReadableError(StorageError):
    """A file or folder is not there, is not what it should be, or permission to read it was refused."""


class OutOfReachError(NotReadableError):
    """A file or folder of an open project cannot be looked at now; it may be there again in a moment."""


class ProjectInUseError(StorageError):
    """Another process has this project open; two would write over each other. `pid` is None when it did not say."""

    def __init__(self, folder: str, *, pid: int | None = None, host: str = "", program: str = "") -> None:
        super().__init__(f"{folder} is open in process {pid} ({program}) on {host or 'this machine'}")
        self.folder = folder
        self.pid = pid
        self.host = host
        self.program = program

    @property
    def holder(self) -> str:
        """Who has it, as far as it said so; else empty."""
        return f"{self.program} (process {self.pid})" if self.pid is not None and self.program else ""


class ChangedOnDiskError(StorageError):
    """Another program changed a file between our reading and our writing it."""


class CorruptSnapshotError(StorageError):
    """Stored data is not what was written; it must never be replaced by something emptier."""


class DocumentError(TexSwarmError):
    """A document could not do what it was asked to."""


class MalformedUpdateError(DocumentError):
    """Bytes that claim to be a Yjs update are not one; the document is unchanged."""


class DamagedDocumentError(DocumentError):
    """An update broke the document while it was applied; the copy in memory must be loaded again."""


class PositionError(DocumentError):
    """A position or range lies outside the text, inside a character, or ends before it starts."""


class UnknownFileError(DocumentError):
    """No file with that id is in the project."""


class BlobContentError(DocumentError):
    """Bytes are not what the hash and the size say that go with them."""


class FigureMissingError(DocumentError):
    """A document names a figure that is neither here nor at the server."""


class FilePathError(DocumentError):
    """A path is empty, absolute, leaves the project, or is taken."""


class NameNotHereError(FilePathError):
    """A file of the project has a name that this disk does not take; it is kept in the replica only."""


class NameNotSharedError(FilePathError):
    """A file on this disk has a name that other systems do not take; it is not brought in."""


class KindNotTakenError(FilePathError):
    """What is there is no text, or of a kind that another program might obey; it is not written, or not brought in."""


class KindNotWantedError(FilePathError):
    """A file of the project is of a kind that is written here only if the people here wish so."""


class NotSharedError(FilePathError):
    """A file of the folder stays on this computer, as it should: nothing is wrong, and it can be looked up."""


class KindNotSharedError(NotSharedError):
    """It is of a kind that is shared only if the people here wish so."""


class ObeyedFileError(NotSharedError):
    """A program may obey it, so that nobody is given it, and nobody gives it."""


class SpecialFileError(NotSharedError):
    """It is no file that holds anything: a pipe, a socket, a device."""


class EncodingTooSmallError(DocumentError):
    """A text has a character that the encoding of its file lacks, so that the file is UTF-8, everywhere."""


class LinkNotFollowedError(FilePathError):
    """A path is, or leads through, a symbolic link that leaves the project's folder."""


class FileCameBackError(DocumentError):
    """A file that was deleted here is there again, because somebody wrote in it meanwhile; `by`: who, if known."""

    def __init__(self, path: str, *, by: str = "") -> None:
        super().__init__(f"{path} was deleted, and {by or 'somebody'} wrote in it meanwhile")
        self.path = path
        self.by = by


class HostError(TexSwarmError):
    """The embedded server could not be started here; `__cause__` says why."""


class BuildError(TexSwarmError):
    """LaTeX could not be run at all; what TeX itself complains about is a result, not an error."""


class ToolMissingError(TexSwarmError):
    """A program of the system that is needed is not installed, or not found."""

    def __init__(self, tool: str) -> None:
        super().__init__(f"not found: {tool}")
        self.tool = tool


class TransferError(TexSwarmError):
    """A project could not be brought in from somewhere else, or given out."""


class TransferCancelledError(TransferError):
    """The user, or a signal, ended it; nothing was left behind."""


class ArchiveError(TransferError):
    """A file is no archive that can be read."""


class NothingToImportError(TransferError):
    """Nothing in an archive can be taken."""


class GitAddressError(TransferError):
    """An address that git must not be given: not https or ssh, or not an address at all."""


class CloneProblem(StrEnum):
    """Why a repository could not be cloned, as far as git's words tell."""

    UNREACHABLE = "unreachable"
    NOT_FOUND = "not_found"
    NOT_ALLOWED = "not_allowed"
    HOST_UNKNOWN = "host_unknown"
    NOT_TRUSTED = "not_trusted"
    OTHER = "other"


class CloneError(TransferError):
    """Git did not clone a repository. `detail`: its last words."""

    def __init__(self, problem: CloneProblem, detail: str = "") -> None:
        super().__init__(f"{problem}: {detail}" if detail else problem)
        self.problem = problem
        self.detail = detail


class NoMainFileError(TransferError):
    """No file of a project can be the one LaTeX is run on."""


class SettingsError(TexSwarmError):
    """A setting, option or file of settings has a value that cannot be used."""


class SettingsUnreadableError(SettingsError):
    """The file of settings could not be read: it was set aside, and the defaults hold."""


_RETRYABLE_CODES: frozenset[str] = frozenset(
    {
        ErrorCode.THROTTLED,
        ErrorCode.OVER_CAPACITY,
        ErrorCode.STORAGE_UNAVAILABLE,
        ErrorCode.DOCUMENT_RELOADED,
        ErrorCode.INTERNAL_ERROR,
    }
)

#: The one table from exceptions to codes. Subclasses not named here inherit their parent's code.
_CODES: dict[type[TexSwarmError], ErrorCode] = {
    MalformedUpdateError: ErrorCode.UPDATE_INVALID,
    DamagedDocumentError: ErrorCode.DOCUMENT_RELOADED,
    PositionError: ErrorCode.INVALID_OPERATION,
    FilePathError: ErrorCode.NAME_INVALID,
    BlobContentError: ErrorCode.BLOB_INVALID,
    StorageError: ErrorCode.STORAGE_UNAVAILABLE,
    TexSwarmError: ErrorCode.INTERNAL_ERROR,
}


def code_verdict(code: str) -> Verdict:
    """Say whether a refusal with `code` may pass by itself; unknown codes are final."""
    return Verdict.RETRY if code in _RETRYABLE_CODES else Verdict.STOP


def code_of(error: TexSwarmError) -> str:
    """Return the code under which `error` travels on the wire."""
    if isinstance(error, (RejectedError, RemoteProtocolError)):
        return error.code
    return next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)


def error_from_code(code: str, message: str = "", *, retry_after_s: float | None = None) -> RejectedError:
    """Return what a client raises for a refusal from the wire; codes it does not know survive as text."""
    return RejectedError(code, message, retry_after_s=retry_after_s)


def verdict(error: TexSwarmError) -> Verdict:
    """Say whether trying again by itself can mend `error`."""
    if isinstance(error, RejectedError):
        return Verdict.RETRY if error.retry_after_s is not None else code_verdict(error.code)
    return error.verdict
