"""Two machines that turn a short code into a strong key, over a network that anybody listens to and alters. PURE.

SPAKE2 over Ed25519, as magic-wormhole uses it: who does not know the code learns nothing from listening, and a man in
the middle, or somebody at the door, can try one code per exchange, and no more of it later in private. The key depends
on all that was said and on the channel (`channel`), so that an exchange that is replayed, mixed with another, relayed
over another certificate or altered ends in two different keys. First the guest proves that it has the key, so that the
host gives away nothing to be tested; then the host does, with the invitation sealed for the guest.

    guest                         host
    GuestExchange.opening   ->    HostExchange.answer(opening)
    prove(answer)           <-
                            ->    check(proof)             raises WrongCodeError
    open(proof, sealed)     <-    seal(invitation)

Each step is taken once, in this order. Random bytes come from outside. Left out: time, tries, and how it travels.
"""

import hmac
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from spake2 import SPAKE2_A, SPAKE2_B, SPAKEError
from spake2.ed25519_basic import NotOnCurve

from texswarm_server.pairing.join_code import JoinCode, RandomBytes, WrongCodeError
from texswarm_server.protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError

_CONTEXT: Final = b"texswarm pairing 1"
_GUEST: Final = b"texswarm guest"
_HOST: Final = b"texswarm host"
_KEY_BYTES: Final = 32
#: The key is used for one message only, so that its nonce need not vary.
_NONCE: Final = bytes(12)
#: A letter for the side, and a point of the curve.
MESSAGE_BYTES: Final = 33


class _Step(Enum):
    FIRST = auto()
    SECOND = auto()
    THIRD = auto()
    DONE = auto()


@dataclass(frozen=True, slots=True)
class _Keys:
    """What follows from one exchange: three keys that tell nothing of each other, and what was said."""

    shared: bytes
    transcript: bytes

    def proof_of(self, side: bytes) -> bytes:
        return hmac.digest(self._derived(b"proof of the " + side), self.transcript, "sha256")

    def seal(self, plain: bytes) -> bytes:
        return self._cipher.encrypt(_NONCE, plain, self.transcript)

    def open(self, sealed: bytes) -> bytes:
        return self._cipher.decrypt(_NONCE, sealed, self.transcript)

    @property
    def _cipher(self) -> ChaCha20Poly1305:
        return ChaCha20Poly1305(self._derived(b"invitation"))

    def _derived(self, purpose: bytes) -> bytes:
        return HKDF(SHA256(), _KEY_BYTES, salt=self.transcript, info=_CONTEXT + b" " + purpose).derive(self.shared)


class GuestExchange:
    """The side that was told the code. `opening` is its first message."""

    def __init__(self, code: JoinCode, channel: bytes, random: RandomBytes) -> None:
        self._code, self._channel = code, channel
        self._spake = SPAKE2_A(code.secret, idA=_GUEST, idB=_HOST + channel, entropy_f=random)
        self.opening: bytes = self._spake.start()
        self._step = _Step.FIRST
        self._keys: _Keys | None = None

    def prove(self, answer: bytes) -> bytes:
        """Take in the host's answer and return the proof that this side has the key; raises RemoteProtocolError."""
        self._step = _next(self._step, _Step.FIRST)
        shared = _finished(self._spake, answer)
        self._keys = _Keys(shared, _transcript(self._code, self._channel, self.opening, answer))
        return self._keys.proof_of(_GUEST)

    def open(self, proof: bytes, sealed: bytes) -> bytes:
        """Return what the host sealed, once it has proved that it has the key; raises WrongCodeError."""
        self._step = _next(self._step, _Step.SECOND)
        assert self._keys is not None
        if not hmac.compare_digest(proof, self._keys.proof_of(_HOST)):
            raise WrongCodeError
        try:
            return self._keys.open(sealed)
        except InvalidTag as error:
            raise WrongCodeError from error


class HostExchange:
    """The side that made the code."""

    def __init__(self, code: JoinCode, channel: bytes, random: RandomBytes) -> None:
        self._code, self._channel = code, channel
        self._spake = SPAKE2_B(code.secret, idA=_GUEST, idB=_HOST + channel, entropy_f=random)
        self._step = _Step.FIRST
        self._keys: _Keys | None = None

    def answer(self, opening: bytes) -> bytes:
        """Take in the guest's opening and return the answer; raises RemoteProtocolError."""
        self._step = _next(self._step, _Step.FIRST)
        answer: bytes = self._spake.start()
        shared = _finished(self._spake, opening)
        self._keys = _Keys(shared, _transcript(self._code, self._channel, opening, answer))
        return answer

    def check(self, proof: bytes) -> None:
        """Take in the guest's proof; raises WrongCodeError, after which nothing is sealed."""
        self._step = _next(self._step, _Step.SECOND)
        assert self._keys is not None
        if not hmac.compare_digest(proof, self._keys.proof_of(_GUEST)):
            self._step = _Step.DONE
            raise WrongCodeError

    def seal(self, plain: bytes) -> tuple[bytes, bytes]:
        """Return this side's proof, and `plain` for the guest's eyes only."""
        self._step = _next(self._step, _Step.THIRD)
        assert self._keys is not None
        return self._keys.proof_of(_HOST), self._keys.seal(plain)


def _next(now: _Step, wanted: _Step) -> _Step:
    """Return the step after `wanted`; each is taken once, whatever comes of it."""
    if now is not wanted:
        raise LocalProtocolError(f"a step of the exchange is taken out of order: {wanted.name} in {now.name}")
    return _Step(wanted.value + 1)


def _finished(spake: "SPAKE2_A | SPAKE2_B", message: bytes) -> bytes:
    """Return the shared secret; spake2 tells bad points and reflected messages by exceptions of several kinds."""
    if len(message) != MESSAGE_BYTES:
        raise RemoteProtocolError(ErrorCode.INVALID_PAYLOAD, "not a message of the exchange")
    try:
        shared: bytes = spake.finish(message)
    except (SPAKEError, NotOnCurve, ValueError) as error:
        raise RemoteProtocolError(ErrorCode.INVALID_PAYLOAD, f"not a message of the exchange: {error!r}") from error
    return shared


def _transcript(code: JoinCode, channel: bytes, opening: bytes, answer: bytes) -> bytes:
    """Return the hash of all that both sides must have seen the same way."""
    parts = (_CONTEXT, channel, code.nameplate.encode(), opening, answer)
    return sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()
