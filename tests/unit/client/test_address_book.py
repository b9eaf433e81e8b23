from texswarm_desktop.client.address_book import AddressBook, lasting_key
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress

HERE, THERE = ServerAddress("10.0.0.2"), ServerAddress("10.0.0.9")


def test_the_last_place_counts_however_the_fingerprint_is_written():
    book = AddressBook()
    book.learn("AB:CD", [HERE])
    book.learn("abcd", [THERE, HERE])
    assert book.addresses_of("ab:cd") == (THERE, HERE)
    assert book.addresses_of("ef") == book.addresses_of(None) == ()


def test_the_hosts_seen_last_are_kept():
    book = AddressBook()
    for number in range(1000):
        book.learn(f"{number:04x}", [HERE])
        book.learn("ffff", [THERE])
    assert book.addresses_of("0000") == ()
    assert book.addresses_of(f"{999:04x}") == (HERE,)
    assert book.addresses_of("ffff") == (THERE,)


def test_a_near_host_is_known_by_its_key_and_a_far_server_by_its_address():
    far = ServerAddress("swarm.example.org", 443, tls=True)
    assert lasting_key(InviteLink(HERE, fingerprint="ab" * 32)) == "ab" * 32
    assert lasting_key(InviteLink(far, fingerprint="ab" * 32)) is None
    assert lasting_key(InviteLink(HERE)) is None
