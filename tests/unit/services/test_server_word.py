"""What a server said of a document holds until it says something else."""

from typing import TYPE_CHECKING, cast

import pytest

from texswarm_desktop.services.project_news import ProjectNews
from texswarm_desktop.services.server_word import VIEWER, ServerWord
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.messages import DocumentOpened, Participant, RoleName

if TYPE_CHECKING:
    from texswarm_desktop.services.replica_store import ReplicaStore


class Meta(dict[str, str | None]):
    """Stands for the store."""

    def set_meta(self, key: str, value: str | None) -> None:
        self[key] = value


@pytest.fixture
def meta() -> Meta:
    return Meta()


@pytest.fixture
def news() -> ProjectNews:
    return ProjectNews()


@pytest.fixture
def server(meta: Meta, news: ProjectNews) -> ServerWord:
    return ServerWord(cast("ReplicaStore", meta), news)


def fact(role: RoleName, read_only: str | None = None) -> DocumentOpened:
    return DocumentOpened(document_id="d", handle=1, role=role, lineage="l", title="t", read_only=read_only)


def test_who_may_only_read_may_not_write_while_the_server_is_away_and_after_a_restart(
    server: ServerWord, meta: Meta, news: ProjectNews
) -> None:
    server.opened(fact("viewer"))
    server.out_of_reach()
    assert (server.read_only, server.role, meta["read_only"]) == (VIEWER, None, VIEWER)
    again = ServerWord(cast("ReplicaStore", meta), news)
    again.load({"server": "texswarm://x", "read_only": VIEWER})
    assert again.read_only == VIEWER
    again.load({"read_only": VIEWER})  # the project is local now
    assert again.read_only is None


def test_a_role_that_is_given_back_ends_the_refusal_of_edits_for_it(server: ServerWord, news: ProjectNews) -> None:
    error = RejectedError(ErrorCode.FORBIDDEN)
    server.refused(error)
    assert (server.refusal, server.read_only, news.problem) == (error, VIEWER, error)
    server.role_changed("editor")
    assert (server.refusal, server.read_only, news.problem) == (None, None, None)


def test_another_refusal_and_the_servers_own_reason_are_no_matter_of_the_role(
    server: ServerWord, news: ProjectNews
) -> None:
    server.opened(fact("editor", read_only="full"))
    error = RejectedError(ErrorCode.LIMIT_EXCEEDED)
    server.refused(error)
    server.role_changed("owner")
    assert (server.refusal, server.read_only, news.problem) == (error, "full", error)
    server.forget()
    assert server.read_only is None


def test_who_is_there_is_not_known_any_more_when_the_server_is_out_of_reach(server: ServerWord) -> None:
    ada = Participant(participant_id="p", user_id="u", display_name="Ada", color="#000000", role="editor", state="here")
    server.participants_changed([ada])
    assert server.participants == [ada]
    server.out_of_reach()
    assert server.participants == []
