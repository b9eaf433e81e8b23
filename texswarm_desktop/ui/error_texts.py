"""What the user reads about each thing that can go wrong: a title, a sentence, and what to do.

Every error class and every code of the wire has words of its own; a test finds those that lack them. A code that a
newer server invented is shown with the server's own message.
"""

from typing import Final

import msgspec
from msgspec.structs import replace

from texswarm_desktop.client.states import StopCode, Trouble
from texswarm_desktop.client.status import NOTHING_WRITABLE, OPEN_ELSEWHERE, Need, StatusAction
from texswarm_desktop.core.join_entry import CodeMisspeltError, CodeNeededError, CodeUnknownError
from texswarm_desktop.core.trust import UntrustedHostError
from texswarm_server.protocol import errors
from texswarm_server.protocol.errors import (
    CloneError,
    CloneProblem,
    ErrorCode,
    RejectedError,
    RemoteProtocolError,
    TexSwarmError,
    ToolMissingError,
)


class ErrorText(msgspec.Struct, frozen=True):
    """Words about an error. `action`: the one thing that may help, None when there is nothing to do."""

    title: str
    sentence: str
    action: StatusAction | None = None


_AND_KEPT: Final = "and everything you wrote is kept on this computer."
_NOT_WRITABLE: Final = "The disk is full or the folder is read-only."
_FULL: Final = "There is no room left on the disk."
_READ_ONLY: Final = "The file or the folder is read-only, or you may not write there."

_MESSAGE_NOT_READ: Final = ErrorText("Not understood", "The server could not read a message, by a mistake in TeXSwarm.")

_BY_CODE: Final[dict[str, ErrorText]] = {
    ErrorCode.AUTHENTICATION_REQUIRED: ErrorText(
        "Not signed in", "The server wants to know who you are, so use a new invitation.", StatusAction.SIGN_IN
    ),
    ErrorCode.TOKEN_MISSING: ErrorText(
        "Invitation needed", "This server lets in only who is invited, so ask for an invitation.", StatusAction.SIGN_IN
    ),
    ErrorCode.TOKEN_INVALID: ErrorText(
        "Invitation not accepted",
        "The server does not know this invitation, so ask for a new one.",
        StatusAction.SIGN_IN,
    ),
    ErrorCode.TOKEN_EXPIRED: ErrorText(
        "Signed out", "You were away for too long, so ask for a new invitation.", StatusAction.SIGN_IN
    ),
    ErrorCode.TOKEN_REVOKED: ErrorText(
        "Signed out", "The host ended your access, so ask for a new invitation.", StatusAction.SIGN_IN
    ),
    ErrorCode.INVITE_EXPIRED: ErrorText(
        "Invitation expired", "This invitation has expired, so ask for a new one.", StatusAction.SIGN_IN
    ),
    ErrorCode.INVITE_USED_UP: ErrorText(
        "Invitation used up", "This invitation was already used, so ask for a new one.", StatusAction.SIGN_IN
    ),
    ErrorCode.INVITE_REVOKED: ErrorText(
        "Invitation withdrawn", "The host withdrew this invitation, so ask for a new one.", StatusAction.SIGN_IN
    ),
    ErrorCode.IDENTITY_MISMATCH: ErrorText(
        "Signed in as somebody else",
        "This invitation belongs to another person, so ask for one of your own.",
        StatusAction.SIGN_IN,
    ),
    ErrorCode.PROTOCOL_UNSUPPORTED: ErrorText(
        "Newer version needed", "The server speaks a newer version, so update TeXSwarm to connect.", StatusAction.UPDATE
    ),
    ErrorCode.CODE_WRONG: ErrorText("Wrong code", "This is not the code the host shows now, so look at it again."),
    ErrorCode.CODE_EXPIRED: ErrorText("Code expired", "The host shows another code by now, so ask for it."),
    ErrorCode.CERTIFICATE_OTHER: ErrorText(
        "No way for a code",
        "A proxy, or somebody who listens, ends the encryption between here and the host, so ask for a link.",
    ),
    ErrorCode.THROTTLED: ErrorText("Too many tries", "The server asks to wait a little, and it goes on by itself."),
    ErrorCode.REMOVED: ErrorText(
        "Removed by the host",
        "The host removed you from this project, and your copy stays here.",
        StatusAction.WORK_LOCALLY,
    ),
    ErrorCode.APPROVAL_PENDING: ErrorText("Waiting to be let in", "Somebody there has to let you in first."),
    ErrorCode.APPROVAL_DECLINED: ErrorText("Not let in", "The host did not let you in, so ask them."),
    ErrorCode.APPROVAL_EXPIRED: ErrorText(
        "Nobody answered", "Nobody let you in for a while, so try again when they are there."
    ),
    ErrorCode.DOCUMENT_NOT_FOUND: ErrorText(
        "Project not found",
        "The server has no such project, or you are not invited to it.",
        StatusAction.WORK_LOCALLY,
    ),
    ErrorCode.DOCUMENT_EXISTS: ErrorText(
        "Already there", "A project of this identity is already on the server, with another owner or history."
    ),
    ErrorCode.LINEAGE_MISMATCH: ErrorText(
        "Two different projects",
        "The copy here and the one on the server have different histories, and nothing was mixed.",
        StatusAction.CHOOSE_COPY,
    ),
    ErrorCode.FORBIDDEN: ErrorText(
        "Reading only", "You may read this project, but not change it here.", StatusAction.WORK_LOCALLY
    ),
    ErrorCode.NOT_FOUND: ErrorText("Not there any more", "This person or invitation is not there any more."),
    ErrorCode.LAST_OWNER: ErrorText("The only owner", "Make somebody else an owner of this project first."),
    ErrorCode.NAME_INVALID: ErrorText("Name not possible", "A file cannot have this name here, so choose another one."),
    ErrorCode.HANDLE_UNKNOWN: ErrorText("Out of step", f"The server lost the thread by our mistake, {_AND_KEPT}"),
    ErrorCode.UPDATE_INVALID: ErrorText("Edit refused", f"The server could not read an edit, {_AND_KEPT}"),
    ErrorCode.INVALID_OPERATION: ErrorText("Edit refused", f"The server could not place an edit, {_AND_KEPT}"),
    ErrorCode.LIMIT_EXCEEDED: ErrorText("Too large", f"This is more than the server takes, {_AND_KEPT}"),
    ErrorCode.BLOB_INVALID: ErrorText(
        "Figure did not arrive", "What arrived of a figure is not what was sent, so it is sent again."
    ),
    ErrorCode.PARSE_ERROR: ErrorText(
        "Not understood", "The server could not read a message, by a mistake in TeXSwarm."
    ),
    ErrorCode.INVALID_PAYLOAD: ErrorText(
        "Not understood", "The server could not read a message, by a mistake in TeXSwarm."
    ),
    ErrorCode.UNKNOWN_MESSAGE: ErrorText("Not understood", "The server is of another version than this program."),
    ErrorCode.FRAME_INVALID: ErrorText("Not understood", f"The connection carried damaged data, {_AND_KEPT}"),
    ErrorCode.OVER_CAPACITY: ErrorText("Server is full", "The server has too much to do, and it goes on by itself."),
    ErrorCode.STORAGE_UNAVAILABLE: ErrorText("Server cannot store", f"The server's disk takes nothing, {_AND_KEPT}"),
    ErrorCode.DOCUMENT_RELOADED: ErrorText("Loaded again", "The server loaded the project again, and nothing is lost."),
    ErrorCode.DOCUMENT_READ_ONLY: ErrorText(
        "Damaged on the server",
        "The server's copy is damaged and takes no changes, and everything you wrote is kept on this computer.",
        StatusAction.WORK_LOCALLY,
    ),
    ErrorCode.INTERNAL_ERROR: ErrorText("Server error", f"Something went wrong in the server, {_AND_KEPT}"),
    ErrorCode.AUTH_SUCCESS: ErrorText("Signed in", "The server let you in."),
    ErrorCode.AUTH_FAILED: ErrorText(
        "Not let in", "The server did not accept the invitation, so ask for a new one.", StatusAction.SIGN_IN
    ),
    Trouble.ENDED: ErrorText("Connection lost", f"The connection broke off, {_AND_KEPT}"),
    Trouble.SILENT: ErrorText("No sign of life", f"Nothing was heard from the server any more, {_AND_KEPT}"),
    Trouble.RESTARTED: ErrorText("Server restarts", "The server was ended or started anew."),
    Trouble.NO_NETWORK: ErrorText("No network", "This computer has no network, and it goes on by itself."),
    Trouble.NO_ANSWER: ErrorText("No answer", "Nothing answers at the address of the server."),
    Trouble.NOBODY: ErrorText("Nobody there", "The machine answers, and no server runs there."),
    Trouble.NAME_UNKNOWN: ErrorText("Name not found", "The name of the server cannot be looked up now."),
    Trouble.NOT_OURS: ErrorText(
        "Something else answers",
        "Another server answers, or a sign-in page of this network: open a web browser and sign in there.",
    ),
    Trouble.TLS: ErrorText(
        "Not encrypted",
        "What answers speaks no encryption, as another server, or a sign-in page of this network: open a web browser "
        "and look.",
    ),
    Trouble.UNTRUSTED: ErrorText(
        "Certificate not trusted",
        "This system does not trust the certificate of what answers; if this network wants a sign-in, do so in a web "
        "browser.",
    ),
    Trouble.RESET_AT_HELLO: ErrorText(
        "Not encrypted", "The connection broke off before it was encrypted, as of a server that speaks no TLS."
    ),
    Trouble.MUTE_AT_HELLO: ErrorText(
        "It may be encrypted now",
        "The server ends what is not encrypted, so ask for its new link, or join it from the list.",
    ),
    Trouble.PROXY: ErrorText("The proxy fails", "The proxy of this system does not pass the connection on."),
    Trouble.PROXY_SIGN_IN: ErrorText(
        "The proxy wants a sign-in",
        "The proxy of this system wants a name and a password: give them in the network settings, as in "
        "http://NAME:PASSWORD@HOST:PORT.",
    ),
    StopCode.SESSION_ENDED: ErrorText(
        "Session ended", "The host ended the session, and your copy stays here.", StatusAction.WORK_LOCALLY
    ),
    StopCode.NOT_AN_OWNER: ErrorText(
        "Owners only", "Only an owner of the project can invite people and change what they may do, so ask one of them."
    ),
    StopCode.MAY_NOT_CREATE: ErrorText(
        "No new projects",
        "This invitation lets nobody put a project on the server, so ask whoever runs it for one that does.",
    ),
    StopCode.WRONG_CERTIFICATE: ErrorText(
        "Another certificate",
        "This is not the server your invitation was for, or it has a new certificate, so ask for a new invitation.",
        StatusAction.SIGN_IN,
    ),
    StopCode.KEY_RING_SHUT: ErrorText(
        "Key ring locked",
        "What signs you in here is in this system's key ring, which is locked, so unlock it and try again.",
        StatusAction.RETRY,
    ),
    StopCode.SERVER_TOO_OLD: ErrorText(
        "Older server",
        "The server speaks an older version, and the host has to update TeXSwarm there.",
        StatusAction.WORK_LOCALLY,
    ),
    StopCode.FRAME_TOO_BIG: ErrorText(
        "Too large",
        "An edit was larger than the server takes, and is kept on this computer.",
        StatusAction.WORK_LOCALLY,
    ),
}

_BY_CLASS: Final[dict[type[BaseException], ErrorText]] = {
    errors.TexSwarmError: ErrorText("Something went wrong", f"This is a mistake in TeXSwarm, {_AND_KEPT}"),
    errors.ProtocolError: ErrorText("Not understood", "This program and the server do not understand each other."),
    errors.LocalProtocolError: ErrorText("Not understood", "A message could not be sent, by a mistake in TeXSwarm."),
    errors.RemoteProtocolError: ErrorText("Not understood", "The server said something that makes no sense."),
    errors.LinkError: ErrorText("No connection", f"The server cannot be reached, {_AND_KEPT}", StatusAction.RETRY),
    errors.LinkRefusedError: ErrorText(
        "Nobody there", "No TeXSwarm server answers at this address.", StatusAction.RETRY
    ),
    errors.LinkLostError: ErrorText("Connection lost", f"The connection ended, {_AND_KEPT}", StatusAction.RETRY),
    errors.LinkTimeoutError: ErrorText("No answer", f"The server does not answer, {_AND_KEPT}", StatusAction.RETRY),
    errors.RejectedError: ErrorText("The server said no", "The server refused, and gave a reason unknown here."),
    errors.StorageError: ErrorText("Disk problem", "Something could not be read from or written to the disk."),
    errors.NotReadableError: ErrorText(
        "Cannot be read", "The file or folder is not there, or you may not read it, so choose another one."
    ),
    errors.OutOfReachError: ErrorText(
        "Cannot be read now",
        "It is not there, or you may not read it, and it is looked at again until that works.",
    ),
    errors.ProjectInUseError: ErrorText(
        "Open somewhere else", "Another window has this project open, so close it there first, or go on writing there."
    ),
    errors.NotWritableError: ErrorText(
        "Cannot write to the folder",
        "The disk is full or the folder is read-only, and it is tried again while you go on.",
    ),
    errors.DiskFullError: ErrorText(
        "The disk is full", "You can go on, and everything is written when there is room on the disk."
    ),
    errors.WriteDeniedError: ErrorText(
        "Cannot write to the folder", "The file or the folder is read-only, and it is tried again while you go on."
    ),
    errors.FolderTakenError: ErrorText(
        "Folder is not empty", "There is something in this folder already, so choose another one, or an empty one."
    ),
    errors.ChangedOnDiskError: ErrorText(
        "Changed by another program",
        "Another program changed a file at the same moment, and both changes are kept.",
    ),
    errors.CorruptSnapshotError: ErrorText(
        "Stored copy is damaged", "A stored copy cannot be read, and was left as it is: nothing was written over it."
    ),
    errors.DocumentError: ErrorText("Project problem", f"The project could not do that, {_AND_KEPT}"),
    errors.MalformedUpdateError: ErrorText("Edit not readable", "Somebody's edit arrived damaged and was left out."),
    errors.DamagedDocumentError: ErrorText("Project is loaded again", f"An edit broke the copy in memory, {_AND_KEPT}"),
    errors.PositionError: ErrorText(
        "Place not found", "An edit was meant for a place that is not there, by a mistake in TeXSwarm."
    ),
    errors.UnknownFileError: ErrorText("File is gone", "Somebody removed this file from the project."),
    errors.BlobContentError: ErrorText(
        "Figure is damaged", "What is stored of a figure is not what it should be, so it is fetched again."
    ),
    errors.FigureMissingError: ErrorText(
        "Figure is not there", "The server does not have it, so whoever put it in has to be online."
    ),
    errors.OneOriginError: ErrorText(
        "Two projects of one origin", "The copy here became a project of its own, and nothing was mixed."
    ),
    errors.FilePathError: ErrorText(
        "Name not possible", "Give a name that is not taken, without a leading slash, backslash or colon."
    ),
    errors.NameNotHereError: ErrorText(
        "Name not possible here", "This computer cannot have a file of this name, so rename it to have it here."
    ),
    errors.NameNotSharedError: ErrorText(
        "Name not possible elsewhere", "Other computers cannot have a file of this name, so rename it to share it."
    ),
    errors.KindNotTakenError: ErrorText(
        "Not text", "This is no text, or a file that programs would obey, and it is left as it is."
    ),
    errors.KindNotWantedError: ErrorText(
        "Of another kind",
        "Somebody shares this file, which a program may run, so it comes here only if you name it in “What is shared”.",
    ),
    errors.NotSharedError: ErrorText("Not shared", "This file is on this computer only."),
    errors.KindNotSharedError: ErrorText(
        "Not shared", "Of a kind that is shared only on purpose: name it in “What is shared”, and let others do so too."
    ),
    errors.ObeyedFileError: ErrorText(
        "Not shared", "Programs may obey a file of this name, so nobody is given it, and nobody gives it to you."
    ),
    errors.SpecialFileError: ErrorText(
        "Not shared", "This is a pipe, a socket or a device, and holds nothing that could be shared."
    ),
    errors.EncodingTooSmallError: ErrorText(
        "UTF-8 now",
        "A character of this text is not in Latin-1, so the file is UTF-8 everywhere: take it out, or tell inputenc.",
    ),
    errors.LinkNotFollowedError: ErrorText(
        "Link to somewhere else", "This link leads out of the project, so it is left as it is, and not shared."
    ),
    errors.FileCameBackError: ErrorText(
        "Came back", "Somebody wrote in it while it was deleted, so it is there again."
    ),
    errors.HostError: ErrorText(
        "Sharing did not start",
        "The disk or the network refuses, or another window is sharing already, so stop that one and try again.",
        StatusAction.HOST,
    ),
    CodeUnknownError: ErrorText(
        "No such code nearby",
        "No host on this network has a code with this number now, so ask for the present one.",
    ),
    CodeNeededError: ErrorText(
        "Code needed",
        "This host lets in only who has its link or its code, so ask for one of them, and paste or type it here.",
    ),
    CodeMisspeltError: ErrorText("Misspelt code", "A word of this code cannot be right, so look at it again."),
    UntrustedHostError: ErrorText(
        "Unknown host", "Compare the four words with those on the host's screen before you join."
    ),
    errors.BuildError: ErrorText("LaTeX did not run", "LaTeX could not be started."),
    errors.ToolMissingError: ErrorText(
        "Program not found", "A program that is needed for this is not installed, so install it and try again."
    ),
    errors.TransferError: ErrorText("That did not work", "The project could not be brought in or given out."),
    errors.TransferCancelledError: ErrorText("Cancelled", "Nothing was left behind."),
    errors.ArchiveError: ErrorText("Not a zip archive", "The file is not a zip archive, or it is damaged."),
    errors.NothingToImportError: ErrorText("Nothing to import", "There is no file in the archive that can be taken."),
    errors.GitAddressError: ErrorText(
        "Not an address for git", "Give an address that begins with https:// or ssh://, or one like git@HOST:PATH."
    ),
    errors.CloneError: ErrorText("Not cloned", "Git could not clone the repository."),
    errors.NoMainFileError: ErrorText(
        "No main file", "No file of the project begins with a document class, so there is nothing to follow."
    ),
    errors.SettingsError: ErrorText("Not usable", "A setting or an address cannot be used as it is."),
    errors.SettingsUnreadableError: ErrorText(
        "Settings not readable", "The file with your settings is damaged, so it was set aside, and the usual ones hold."
    ),
}

_BY_TOOL: Final = {
    "git": ErrorText("Git is missing", "Git is not installed on this computer, so install it and try again."),
}
_BY_PROBLEM: Final = {
    CloneProblem.UNREACHABLE: ErrorText(
        "Not reached", "The repository's server cannot be reached, so look at the address."
    ),
    CloneProblem.NOT_FOUND: ErrorText(
        "No such repository", "There is no repository at this address, or it is private."
    ),
    CloneProblem.NOT_ALLOWED: ErrorText(
        "Not let in", "The repository is private, so set up git's sign-in, or an SSH key, and try again."
    ),
    CloneProblem.HOST_UNKNOWN: ErrorText(
        "Unknown server", "SSH does not know this server yet, so connect to it once in a terminal to check its key."
    ),
    CloneProblem.NOT_TRUSTED: ErrorText(
        "Not trusted",
        "Nobody that git trusts vouches for the server's certificate, so have its issuer added, or use SSH.",
    ),
    CloneProblem.OTHER: _BY_CLASS[errors.CloneError],
}


#: What is said where nothing is tried again.
_AT_THE_END: Final[dict[type[BaseException], str]] = {
    errors.NotWritableError: _NOT_WRITABLE,
    errors.DiskFullError: _FULL,
    errors.WriteDeniedError: _READ_ONLY,
    errors.OutOfReachError: "It is not there, or you may not read it.",
}
#: What was understood and decided over there: nothing on the way there is to be found out.
_DECIDED: Final = frozenset(
    {
        ErrorCode.PROTOCOL_UNSUPPORTED,
        ErrorCode.TOKEN_MISSING,
        ErrorCode.IDENTITY_MISMATCH,
        ErrorCode.APPROVAL_DECLINED,
        ErrorCode.APPROVAL_EXPIRED,
        ErrorCode.REMOVED,
        ErrorCode.INVITE_EXPIRED,
        ErrorCode.INVITE_USED_UP,
        ErrorCode.INVITE_REVOKED,
        ErrorCode.TOKEN_EXPIRED,
        ErrorCode.TOKEN_REVOKED,
        ErrorCode.CODE_WRONG,
        ErrorCode.CODE_EXPIRED,
        ErrorCode.CERTIFICATE_OTHER,
        ErrorCode.THROTTLED,
        ErrorCode.APPROVAL_PENDING,
        ErrorCode.DOCUMENT_NOT_FOUND,
        ErrorCode.DOCUMENT_EXISTS,
        ErrorCode.LINEAGE_MISMATCH,
        ErrorCode.NOT_FOUND,
        ErrorCode.FORBIDDEN,
        ErrorCode.LAST_OWNER,
        ErrorCode.NAME_INVALID,
        ErrorCode.HANDLE_UNKNOWN,
        ErrorCode.UPDATE_INVALID,
        ErrorCode.INVALID_OPERATION,
        ErrorCode.LIMIT_EXCEEDED,
        ErrorCode.BLOB_INVALID,
        ErrorCode.DOCUMENT_RELOADED,
        ErrorCode.DOCUMENT_READ_ONLY,
        StopCode.SERVER_TOO_OLD,
        StopCode.SESSION_ENDED,
        StopCode.KEY_RING_SHUT,
        StopCode.NOT_AN_OWNER,
        StopCode.MAY_NOT_CREATE,
    }
)


def is_worth_a_check(error: BaseException) -> bool:
    """Whether to look at each step of the way to a server may tell more than the words of the error."""
    return isinstance(error, errors.LinkError) or (isinstance(error, RejectedError) and error.code not in _DECIDED)


def text_of(error: BaseException) -> ErrorText:
    """Return the words about an error; one of no class of ours is a mistake of ours."""
    if isinstance(error, CodeMisspeltError) and error.meant:
        return ErrorText("Misspelt code", f"No code has the word “{error.word}”, and it may be “{error.meant}”.")
    if isinstance(error, errors.ProjectInUseError) and error.pid is not None:
        return _in_use_by(error)
    if isinstance(error, errors.FileCameBackError) and error.by:
        return replace(_of_class(error), sentence=f"{error.by} wrote in it while it was deleted, so it is there again.")
    if isinstance(error, (RejectedError, RemoteProtocolError)) and not isinstance(error, errors.OneOriginError):
        message = getattr(error, "message", "")
        return text_of_code(error.code, message) if error.code in _BY_CODE or message else _of_class(error)
    if isinstance(error, ToolMissingError):
        return _BY_TOOL.get(error.tool) or _of_class(error)
    return _BY_PROBLEM[error.problem] if isinstance(error, CloneError) else _of_class(error)


def text_at_the_end(error: TexSwarmError) -> ErrorText:
    """Return the words for an error that ends a program: nothing is tried again then."""
    words = text_of(error)
    sentence = _AT_THE_END.get(type(error))
    return replace(words, sentence=sentence) if sentence is not None else words


def sentence_of(error: BaseException) -> str:
    """Return one line about an error: what it is, and which file or program it is about."""
    return line_about(text_of(error), error)


def line_about(words: ErrorText, error: BaseException) -> str:
    """Return the words in one line, and which file it is about."""
    is_told = isinstance(error, errors.ProjectInUseError) or not isinstance(error, errors.StorageError)
    detail = "" if is_told or not str(error) else f" ({error})"
    return " ".join(f"{words.title}: {words.sentence}{detail}".split())


def text_of_code(code: str, message: str = "") -> ErrorText:
    """Return the words about a code of the wire; one that is unknown here is told in the server's words."""
    known = _BY_CODE.get(code)
    return known or ErrorText("The server said no", message or _BY_CLASS[RejectedError].sentence, StatusAction.SIGN_IN)


def need_words(code: str, message: str) -> Need:
    """Return what the status line says about a connection that needs the user, or a folder that is only looked at."""
    if code == OPEN_ELSEWHERE:
        who = message or "another program"
        return Need(f"{who} has this project open, and what it writes is shown here.", None, f"open in {who}")
    if code == NOTHING_WRITABLE:
        return Need("Nothing can be written to this folder, and what is in it is shown.", None, "folder not writable")
    text = text_of_code(code, message)
    return Need(text.sentence, text.action, text.title)


def obstacle_text(reason: errors.StorageError) -> ErrorText:
    """Return the words for whoever tries to write where a folder is only looked at."""
    if isinstance(reason, errors.ProjectInUseError):
        return text_of(reason)
    return ErrorText("Reading only", need_words(NOTHING_WRITABLE, "").sentence)


def has_words(kind: type[TexSwarmError]) -> bool:
    """Say whether an error class has words of its own; for a test."""
    return kind in _BY_CLASS


def has_code_words(code: str) -> bool:
    """Say whether a code has words of its own; for a test."""
    return code in _BY_CODE


def every_sentence() -> tuple[str, ...]:
    """Return all that can be said but for what holds names; for a test."""
    tables = (_BY_CODE, _BY_CLASS, _BY_TOOL, _BY_PROBLEM)
    return (*(text.sentence for table in tables for text in table.values()), *_AT_THE_END.values())


def _in_use_by(error: errors.ProjectInUseError) -> ErrorText:
    who = f"{error.program or 'Another program'} (process {error.pid} on {error.host or 'this machine'})"
    sentence = f"{who} has this project open, so close it there first, or go on writing there."
    return replace(_of_class(error), sentence=sentence)


def _of_class(error: BaseException) -> ErrorText:
    return next((_BY_CLASS[kind] for kind in type(error).__mro__ if kind in _BY_CLASS), _BY_CLASS[TexSwarmError])
