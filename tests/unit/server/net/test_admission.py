"""Places for connections: never more than there are, and each given back once."""

from texswarm_server.net.admission import Admission, AdmissionLimits, NoPlace, Place


def admission(*, connections: int = 9, per_address: int | None = None, unauthenticated: int = 9) -> Admission:
    return Admission(
        AdmissionLimits(max_connections=connections, max_per_address=per_address, max_unauthenticated=unauthenticated)
    )


def place(of: Admission, address: str = "192.0.2.1") -> Place:
    taken = of.take_place(address)
    assert isinstance(taken, Place), taken
    return taken


def test_who_has_not_signed_in_takes_a_place_until_it_does() -> None:
    doors = admission(unauthenticated=1)
    first = place(doors)
    assert doors.take_place("192.0.2.2") is NoPlace.UNAUTHENTICATED_FULL
    first.sign_in()

    place(doors)


def test_one_address_has_so_many_places_and_others_have_theirs() -> None:
    doors = admission(per_address=2)
    first = place(doors)
    place(doors).sign_in()
    assert doors.take_place("192.0.2.1") is NoPlace.ADDRESS_FULL
    place(doors, "192.0.2.2")
    first.leave()

    place(doors)


def test_a_full_server_lets_nobody_sign_in_until_somebody_leaves() -> None:
    doors = admission(connections=1)
    first, second, third = place(doors), place(doors), place(doors)
    assert (first.sign_in(), first.sign_in(), second.sign_in()) == (True, True, False)
    first.leave()
    assert second.sign_in()
    second.sign_off()

    assert third.sign_in()


def test_who_takes_over_finds_room_on_a_full_server() -> None:
    doors = admission(connections=1)
    old, new = place(doors), place(doors)
    old.sign_in()
    assert new.sign_in(is_replacing=True)
    old.leave()

    assert doors.is_full


def test_a_place_is_given_back_once_whatever_happens() -> None:
    doors = admission(connections=1, unauthenticated=1, per_address=1)
    for _ in range(3):
        one = place(doors)
        one.sign_in()
        one.sign_in()
        one.leave()
        one.leave()
        assert not one.sign_in()
        one.sign_off()
        two = place(doors)
        two.leave()
        two.leave()

    assert not doors.is_full


def test_a_server_that_leaves_has_no_place() -> None:
    doors = admission()
    doors.is_leaving = True
    assert doors.take_place("192.0.2.1") is NoPlace.LEAVING
