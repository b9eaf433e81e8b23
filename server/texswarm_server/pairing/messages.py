"""What guest and host say to each other on `/pair`, before anybody is signed in. Bytes travel as base64."""

from typing import Final

from texswarm_server.protocol.codec import Codec
from texswarm_server.protocol.messages import Message

PAIRING_VERSION: Final = 1
MAX_FRAME_BYTES: Final = 4096


class StartPairing(Message, frozen=True):
    """A guest was told a code, and begins the exchange. `nameplate`: the number of the code.

    `certificate`: as in `channel.seen_as`; None from a guest who does not say.
    """

    nameplate: str
    opening: bytes
    version: int = PAIRING_VERSION
    certificate: str | None = None


class ProvePairing(Message, frozen=True):
    """The guest's proof that it has the key."""

    proof: bytes


class AskForInvitation(Message, frozen=True):
    """A guest has no code, and asks for the way in as it is open to the network."""


class PairingAnswered(Message, frozen=True):
    """The host's part of the exchange."""

    answer: bytes


class PairingDone(Message, frozen=True):
    """The host's proof that it has the key, and an invite link sealed for the guest."""

    proof: bytes
    sealed: bytes


class InvitationGiven(Message, frozen=True):
    """An invite link for who asked without a code."""

    link: str


class PairingRefused(Message, frozen=True):
    """The host said no; the connection ends."""

    code: str
    message: str = ""
    retry_after_s: float | None = None


GUEST_SAYS: Final[tuple[type[Message], ...]] = (StartPairing, ProvePairing, AskForInvitation)
HOST_SAYS: Final[tuple[type[Message], ...]] = (PairingAnswered, PairingDone, InvitationGiven, PairingRefused)

guest_codec: Codec[Message] = Codec(GUEST_SAYS)
host_codec: Codec[Message] = Codec(HOST_SAYS)
