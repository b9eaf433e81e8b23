"""Errors and codes: every class has a verdict and a code, and codes of tomorrow survive."""

import inspect

import pytest

from texswarm_server.protocol.errors import (
    DamagedDocumentError,
    ErrorCode,
    LinkError,
    NotWritableError,
    RejectedError,
    RemoteProtocolError,
    TexSwarmError,
    Verdict,
    code_of,
    code_verdict,
    error_from_code,
    verdict,
)


def every_error() -> list[type[TexSwarmError]]:
    found, waiting = [], [TexSwarmError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    # Which classes of other packages are known depends on which of them happen to be loaded.
    return [kind for kind in found if kind.__module__ == TexSwarmError.__module__]


def one(kind: type[TexSwarmError]) -> TexSwarmError:
    """Make an error with something for each thing it must be told."""
    _self, *parameters = inspect.signature(kind.__init__).parameters.values()
    needed = [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    return kind(*needed)


@pytest.mark.parametrize("kind", every_error())
def test_every_error_has_a_verdict_and_a_code(kind: type[TexSwarmError]) -> None:
    error = one(kind)

    assert verdict(error) in Verdict
    assert code_of(error)


@pytest.mark.parametrize("kind", every_error())
def test_only_what_concerns_the_link_passes_by_itself(kind: type[TexSwarmError]) -> None:
    assert (verdict(one(kind)) is Verdict.RETRY) == issubclass(kind, LinkError)


@pytest.mark.parametrize("code", [*ErrorCode, "a_code_of_tomorrow"])
def test_a_code_survives_the_way_to_the_client(code: str) -> None:
    error = error_from_code(code, "words")

    assert (code_of(error), error.message) == (code, "words")
    assert verdict(error) is code_verdict(code)


def test_a_refusal_that_says_when_to_come_back_is_worth_a_retry() -> None:
    assert verdict(RejectedError("a_code_of_tomorrow", retry_after_s=3)) is Verdict.RETRY
    assert verdict(RejectedError("a_code_of_tomorrow")) is Verdict.STOP


def test_errors_of_ours_have_the_code_of_their_kind() -> None:
    assert code_of(NotWritableError()) == ErrorCode.STORAGE_UNAVAILABLE
    assert code_of(DamagedDocumentError()) == ErrorCode.DOCUMENT_RELOADED
    assert code_of(RemoteProtocolError(ErrorCode.FRAME_INVALID)) == ErrorCode.FRAME_INVALID
