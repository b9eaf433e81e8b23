"""Whether a program keeps the folder the same as what somebody asks for."""

import pytest

from texswarm_desktop.core.holder_news import HolderNews, keeps_with
from texswarm_server.protocol.invite_link import parse_invite_link

ONE, OTHER = "4c3a2b1a-0000-4000-8000-000000000001", "4c3a2b1a-0000-4000-8000-000000000002"


@pytest.mark.parametrize(
    ("server", "asked", "is_same"),
    [
        ("", None, False),
        ("no address at all", None, False),
        (f"texswarm://orchid:8091/?document={ONE}", None, True),
        (f"texswarm://orchid:8091/?document={ONE}", f"texswarm://orchid:8091/?token=t&document={ONE}", True),
        (f"texswarm://orchid:8091/?document={ONE}", "texswarm://orchid:8091/?token=t", True),
        (f"texswarm://orchid:8091/?document={ONE}", f"texswarm://orchid:8091/?document={OTHER}", False),
        (f"texswarm://orchid:8091/?document={ONE}", f"texswarm://lily:8091/?document={ONE}", False),
    ],
)
def test_a_document_or_a_server_is_compared(server: str, asked: str | None, is_same: bool) -> None:
    link = parse_invite_link(asked) if asked is not None else None
    assert keeps_with(HolderNews(server=server), link) is is_same
