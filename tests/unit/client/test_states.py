from texswarm_desktop.client.states import Authenticating, Rung


def test_a_first_sign_in_is_not_another_one():
    assert not Authenticating(1, Rung.INVITE).is_again


def test_a_sign_in_after_a_loss_or_a_refusal_is():
    assert Authenticating(2, Rung.ACCESS, lost_at=0.0).is_again
    assert Authenticating(2, Rung.REFRESH, refused=frozenset({Rung.ACCESS})).is_again
