"""The exchange: both sides get there with the same code and certificate, and in no other way."""

from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from texswarm_server.pairing.channel import channel_of
from texswarm_server.pairing.exchange import MESSAGE_BYTES, GuestExchange, HostExchange
from texswarm_server.pairing.join_code import JoinCode, WrongCodeError
from texswarm_server.protocol.errors import LocalProtocolError, RemoteProtocolError

CODE = JoinCode("417", ("otter", "maple"))
CERTIFICATE = channel_of(b"the host's certificate")
INVITATION = b"texswarm://10.0.0.2:8091/?token=txi_secret"


@dataclass
class Pair:
    """A guest and a host. Each has a code and sees a certificate."""

    guest_code: JoinCode = CODE
    host_code: JoinCode = CODE
    guest_sees: bytes = CERTIFICATE
    host_shows: bytes = CERTIFICATE
    seed: int = 1
    guest: GuestExchange = field(init=False)
    host: HostExchange = field(init=False)

    def __post_init__(self) -> None:
        random = Random(self.seed).randbytes
        self.guest = GuestExchange(self.guest_code, self.guest_sees, random)
        self.host = HostExchange(self.host_code, self.host_shows, random)

    def prove(self) -> bytes:
        return self.guest.prove(self.host.answer(self.guest.opening))

    def run(self) -> bytes:
        self.host.check(self.prove())
        return self.guest.open(*self.host.seal(INVITATION))


def test_with_the_same_code_the_guest_gets_the_invitation() -> None:
    assert Pair().run() == INVITATION


@pytest.mark.parametrize(
    "other",
    [
        {"guest_code": JoinCode("417", ("otter", "mantle"))},
        {"guest_code": JoinCode("417", ("maple", "otter"))},
        {"guest_code": JoinCode("418", ("otter", "maple"))},
        {"guest_sees": channel_of(b"the certificate of somebody in the middle")},
        {"guest_sees": channel_of(None)},
    ],
)
def test_another_code_or_certificate_is_found_out_before_the_host_gives_anything_away(other: dict) -> None:
    pair = Pair(**other)
    proof = pair.prove()
    with pytest.raises(WrongCodeError):
        pair.host.check(proof)
    with pytest.raises(LocalProtocolError):
        pair.host.seal(INVITATION)


def test_a_host_that_does_not_know_the_code_cannot_make_the_guest_believe() -> None:
    pair = Pair(host_code=JoinCode("417", ("otter", "mantle")))
    pair.prove()
    with pytest.raises(WrongCodeError):
        pair.guest.open(b"\x00" * 32, b"texswarm://evil.example/")


def test_what_was_heard_of_one_exchange_opens_no_other() -> None:
    """Replayed: an attacker sends again what a guest sent, to a host that still has the same code."""
    heard = Pair(seed=1)
    proof = heard.prove()
    replayed = Pair(seed=2)
    replayed.host.answer(heard.guest.opening)
    with pytest.raises(WrongCodeError):
        replayed.host.check(proof)


def test_the_answer_to_one_guest_serves_no_other() -> None:
    one, other = Pair(seed=1), Pair(seed=2)
    answer = one.host.answer(one.guest.opening)
    proof = other.guest.prove(answer)
    with pytest.raises(WrongCodeError):
        one.host.check(proof)


def test_a_sealed_invitation_is_for_one_exchange() -> None:
    one, other = Pair(seed=1), Pair(seed=2)
    one.host.check(one.prove())
    other.host.check(other.prove())
    with pytest.raises(WrongCodeError):
        other.guest.open(*one.host.seal(INVITATION))


def test_a_message_that_is_sent_back_to_its_sender_is_refused() -> None:
    pair = Pair()
    with pytest.raises(RemoteProtocolError):
        pair.guest.prove(pair.guest.opening)
    other = Pair()
    answer = other.host.answer(other.guest.opening)
    with pytest.raises(RemoteProtocolError):
        Pair().host.answer(answer)


def test_steps_out_of_order_or_taken_twice_are_refused() -> None:
    pair = Pair()
    with pytest.raises(LocalProtocolError):
        pair.host.check(b"")
    with pytest.raises(LocalProtocolError):
        pair.guest.open(b"", b"")
    proof = pair.prove()
    with pytest.raises(LocalProtocolError):
        pair.host.answer(pair.guest.opening)
    with pytest.raises(LocalProtocolError):
        pair.host.seal(INVITATION)
    pair.host.check(proof)
    with pytest.raises(LocalProtocolError):
        pair.host.check(proof)


def test_a_wrong_proof_cannot_be_followed_by_a_better_one() -> None:
    pair = Pair()
    proof = pair.prove()
    with pytest.raises(WrongCodeError):
        pair.host.check(b"\x00" * 32)
    with pytest.raises(LocalProtocolError):
        pair.host.check(proof)


@settings(max_examples=25)
@given(st.binary(max_size=40) | st.binary(min_size=32, max_size=32).map(b"A".__add__))
def test_whatever_is_sent_as_an_opening_it_is_answered_or_a_typed_error(opening: bytes) -> None:
    with suppress(RemoteProtocolError):
        assert len(Pair().host.answer(opening)) == MESSAGE_BYTES


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_one_altered_bit_anywhere_ends_the_exchange(place: int) -> None:
    pair = Pair()
    try:
        answer = pair.host.answer(_flipped(pair.guest.opening, place))
        proof = pair.guest.prove(answer)
    except RemoteProtocolError:
        return
    with pytest.raises(WrongCodeError):
        pair.host.check(proof)


@pytest.mark.parametrize("part", [0, 1])
def test_one_altered_bit_of_what_is_sealed_is_found_out(part: int) -> None:
    pair = Pair()
    pair.host.check(pair.prove())
    sealed = list(pair.host.seal(INVITATION))
    sealed[part] = _flipped(sealed[part], 77)
    with pytest.raises(WrongCodeError):
        pair.guest.open(*sealed)


def test_nothing_of_the_code_or_the_invitation_is_seen_on_the_way() -> None:
    pair = Pair()
    answer = pair.host.answer(pair.guest.opening)
    proof = pair.guest.prove(answer)
    pair.host.check(proof)
    seen = b"".join((pair.guest.opening, answer, proof, *pair.host.seal(INVITATION)))
    assert not any(secret in seen for secret in (b"otter", b"maple", b"txi_secret"))


def test_small_points_of_the_curve_are_refused() -> None:
    """The neutral element, and one of order two: with them an attacker would know the secret beforehand."""
    order_two = (2**255 - 20).to_bytes(32, "little")
    for point in ((1).to_bytes(32, "little"), order_two, bytes(32)):
        with pytest.raises(RemoteProtocolError):
            Pair().host.answer(b"A" + point)


def _flipped(data: bytes, place: int) -> bytes:
    altered = bytearray(data)
    altered[place // 8 % len(data)] ^= 1 << place % 8
    return bytes(altered)
