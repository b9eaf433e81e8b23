"""Git is given only what it can do no harm with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.git_address import git_address, looks_like_address, repository_name
from texswarm_server.protocol.errors import GitAddressError


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://git.example.org/ada/paper.git", "paper"),
        ("https://ada:secret@git.example.org:8443/paper", "paper"),
        ("https://[::1]:8443/a/paper/", "paper"),
        ("ssh://git@git.example.org:2222/ada/paper.git", "paper"),
        ("git@git.example.org:ada/paper.git", "paper"),
        ("ada@host:paper", "paper"),
        (" https://git.example.org/paper ", "paper"),
    ],
)
def test_secure_addresses_are_taken(address: str, name: str) -> None:
    assert git_address(address) == address.strip()
    assert repository_name(address) == name
    assert looks_like_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://git.example.org/paper",
        "git://git.example.org/paper",
        "file:///srv/paper",
        "ext::sh -c touch% /x",
        "ext::https://git.example.org/paper",
        "fd::17",
        "--upload-pack=touch x",
        "-oProxyCommand=x@host:paper",
        "ssh://-oProxyCommand=x/paper",
        "ssh://git@-oProxyCommand=x/paper",
        "git@-oProxyCommand=x:paper",
        "git@host:-x",
        "git@host::paper",
        "https://host/pa per",
        "https://host/a\nb",
        "https://host/a\0b",
        "https://host",
        "https:///paper",
        "https://host/" + "x" * 3000,
        "/srv/paper",
    ],
)
def test_others_are_refused(address: str) -> None:
    with pytest.raises(GitAddressError):
        git_address(address)


@pytest.mark.parametrize("text", ["paper.zip", "/srv/a paper.zip", r"C:\papers\a.zip", "a:b/c.zip", "../a@b.zip"])
def test_a_file_is_no_address(text: str) -> None:
    assert not looks_like_address(text)


@given(st.text(max_size=40), st.sampled_from(["", "https://", "ssh://", "git@"]))
def test_nothing_that_is_taken_can_be_an_option_or_a_helper(text: str, start: str) -> None:
    try:
        address = git_address(start + text)
    except GitAddressError:
        return
    assert address.startswith(("https://", "ssh://")) or "@" in address.partition(":")[0]
    assert not address.startswith("-")
    assert not any(character.isspace() for character in address)
