"""From facts to findings, one step after the other."""

import pytest

from texswarm_desktop.core.doctor import (
    Answer,
    Code,
    Firewall,
    HttpFact,
    InterfaceFact,
    Level,
    OtherSide,
    Step,
    TlsAnswer,
    Trust,
    finding,
    judge_address,
    judge_clock,
    judge_firewall,
    judge_mdns,
    judge_name,
    judge_neighbour,
    judge_network,
    judge_other_side,
    judge_own_port,
    judge_port,
    judge_protocol,
    judge_proxy,
    judge_seen,
    judge_server,
    judge_sign_in,
    judge_tls,
    judge_vpn,
    worst,
)

WIFI = InterfaceFact("wlan0", "192.168.1.7", 24)
WIFI6 = InterfaceFact("wlan0", "fd12:3456::7", 64)
CABLE_OUT = InterfaceFact("eth0", "192.168.1.8", 24, is_up=False)
VPN = InterfaceFact("tun0", "10.8.0.2", 24, is_vpn=True)


def told(found):
    return found.level, found.code


def test_a_machine_without_an_address_is_in_no_network():
    assert told(judge_network([])) == (Level.PROBLEM, Code.NETWORK_NONE)
    assert judge_network([WIFI, VPN]).data["addresses"] == "192.168.1.7 (wlan0), 10.8.0.2 (tun0)"


def test_an_address_that_nothing_carries_is_no_network():
    assert told(judge_network([CABLE_OUT])) == (Level.PROBLEM, Code.NETWORK_UNPLUGGED)
    assert judge_network([CABLE_OUT, WIFI]).data["addresses"] == "192.168.1.7 (wlan0)"
    assert told(judge_address("192.168.1.9", [CABLE_OUT])) == (Level.PROBLEM, Code.ADDRESS_UNPLUGGED)
    assert judge_address("192.168.1.9", [CABLE_OUT, WIFI]).data["interface"] == "wlan0"


def test_a_vpn_may_be_in_the_way_of_what_is_near():
    assert told(judge_vpn([WIFI], is_near=True)) == (Level.FINE, Code.VPN_NONE)
    assert told(judge_vpn([WIFI, VPN], is_near=True)) == (Level.WARNING, Code.VPN_BESIDE)
    assert told(judge_vpn([WIFI, VPN], is_near=False)) == (Level.NOTE, Code.VPN_BESIDE)


@pytest.mark.parametrize(
    ("host", "addresses", "level", "code"),
    [
        ("192.168.1.9", None, Level.FINE, Code.NAME_NEEDLESS),
        ("fe80::1%eth0", None, Level.FINE, Code.NAME_NEEDLESS),
        ("tex.example.org", ("8.8.8.8",), Level.FINE, Code.NAME_FOUND),
        ("tex.example.org", None, Level.PROBLEM, Code.NAME_UNKNOWN),
        ("tex.example.org", (), Level.PROBLEM, Code.NAME_UNKNOWN),
        ("lab-pc.local", None, Level.PROBLEM, Code.NAME_UNKNOWN_LOCAL),
        ("lab-pc", None, Level.PROBLEM, Code.NAME_UNKNOWN_LOCAL),
    ],
)
def test_a_name_is_needless_found_or_unknown(host, addresses, level, code):
    assert told(judge_name(host, addresses)) == (level, code)


@pytest.mark.parametrize(
    ("address", "level", "code"),
    [
        ("127.0.0.1", Level.NOTE, Code.ADDRESS_THIS_MACHINE),
        ("192.168.1.7", Level.NOTE, Code.ADDRESS_OWN),
        ("192.168.1.9", Level.FINE, Code.ADDRESS_SAME_NETWORK),
        ("fd12:3456::9", Level.FINE, Code.ADDRESS_SAME_NETWORK),
        ("192.168.2.9", Level.WARNING, Code.ADDRESS_OTHER_NETWORK),
        ("8.8.8.8", Level.FINE, Code.ADDRESS_PUBLIC),
    ],
)
def test_an_address_is_here_near_elsewhere_or_public(address, level, code):
    assert told(judge_address(address, [WIFI, WIFI6])) == (level, code)


@pytest.mark.parametrize(
    ("hosts", "level", "code"),
    [
        (None, Level.WARNING, Code.MDNS_BLOCKED),
        (0, Level.NOTE, Code.MDNS_SILENT),
        (2, Level.FINE, Code.MDNS_HOSTS),
    ],
)
def test_discovery_is_never_the_end(hosts, level, code):
    assert told(judge_mdns(hosts)) == (level, code)


def test_a_proxy_answers_or_is_the_problem():
    assert told(judge_proxy("p:3128", Answer.OPEN, host="lab.example")) == (Level.NOTE, Code.PROXY_USED)
    assert told(judge_proxy("p:3128", Answer.REFUSED, host="lab.example")) == (Level.PROBLEM, Code.PROXY_FAILS)
    refused = judge_proxy("p:3128", Answer.OPEN, host="lab.example", refusal="403 Forbidden")
    assert told(refused) == (Level.PROBLEM, Code.PROXY_REFUSES)


@pytest.mark.parametrize("answer", Answer)
def test_every_answer_of_a_port_has_a_code(answer):
    found = judge_port("h", 8091, answer, 3)
    assert found.code.value.startswith("port_")
    assert (found.level is Level.FINE) == (answer is Answer.OPEN)


def test_a_silent_neighbour_is_behind_a_firewall_or_kept_apart():
    assert judge_neighbour("a", 1, is_neighbour_known=None) is None
    assert judge_neighbour("a", 1, is_neighbour_known=True).code is Code.NEIGHBOUR_FIREWALL
    assert judge_neighbour("a", 1, is_neighbour_known=False).code is Code.NEIGHBOUR_ISOLATED
    assert judge_neighbour("a", 1, is_neighbour_known=False, leaves_by=WIFI).code is Code.NEIGHBOUR_ISOLATED


def test_a_vpn_that_takes_the_way_to_a_neighbour_is_named_before_anything_is_guessed():
    for is_known in (True, False, None):
        found = judge_neighbour("a", 1, is_neighbour_known=is_known, leaves_by=VPN)
        assert (found.code, found.data["interface"]) == (Code.NEIGHBOUR_VPN, "tun0")


def test_the_own_port_and_firewall_of_a_host():
    assert judge_own_port(8091, is_free=True, is_ours=False).code is Code.PORT_FREE
    assert judge_own_port(8091, is_free=False, is_ours=True).code is Code.PORT_OURS
    assert judge_own_port(8091, is_free=False, is_ours=False).code is Code.PORT_TAKEN
    assert judge_firewall(None, 8091).level is Level.FINE
    assert judge_firewall(Firewall.UFW, 8091).level is Level.WARNING


@pytest.mark.parametrize(
    ("is_wanted", "answer", "trust", "level", "code"),
    [
        (False, None, None, Level.NOTE, Code.TLS_NONE),
        (False, TlsAnswer.DONE, None, Level.PROBLEM, Code.TLS_SERVER_WANTS_IT),
        (True, TlsAnswer.NOT_TLS, None, Level.PROBLEM, Code.TLS_SERVER_IS_PLAIN),
        (True, TlsAnswer.DONE, Trust.PINNED, Level.FINE, Code.TLS_PINNED),
        (True, TlsAnswer.DONE, Trust.TRUSTED, Level.FINE, Code.TLS_TRUSTED),
        (True, TlsAnswer.DONE, Trust.OTHER, Level.PROBLEM, Code.TLS_OTHER_CERTIFICATE),
        (True, TlsAnswer.DONE, Trust.UNTRUSTED, Level.PROBLEM, Code.TLS_UNTRUSTED),
        (True, TlsAnswer.DONE, Trust.EXPIRED, Level.PROBLEM, Code.TLS_EXPIRED),
        (True, TlsAnswer.DONE, Trust.NOT_YET, Level.PROBLEM, Code.TLS_NOT_YET),
    ],
)
def test_both_ends_agree_about_tls_or_it_is_said_who_does_not(is_wanted, answer, trust, level, code):
    assert told(judge_tls(is_wanted=is_wanted, answer=answer, trust=trust)) == (level, code)


@pytest.mark.parametrize(
    ("fact", "level", "code"),
    [
        (HttpFact(200, "1.2"), Level.FINE, Code.SERVER_OURS),
        (HttpFact(0), Level.PROBLEM, Code.SERVER_NO_HTTP),
        (HttpFact(404), Level.PROBLEM, Code.SERVER_OTHER),
        (HttpFact(200, is_page=True), Level.PROBLEM, Code.SERVER_PORTAL),
        (HttpFact(302), Level.PROBLEM, Code.SERVER_PORTAL),
        (HttpFact(502), Level.PROBLEM, Code.SERVER_AWAY),
        (HttpFact(504), Level.PROBLEM, Code.SERVER_AWAY),
        (HttpFact(503), Level.WARNING, Code.SERVER_FULL),
    ],
)
def test_who_answers_is_known_by_the_answer(fact, level, code):
    assert told(judge_server(fact, "1.2")) == (level, code)


@pytest.mark.parametrize(
    ("ahead_s", "code"),
    [(0, Code.CLOCK_FINE), (-119, Code.CLOCK_FINE), (121, Code.CLOCK_OFF), (-7200, Code.CLOCK_OFF)],
)
def test_clocks_agree_within_two_minutes(ahead_s, code):
    assert judge_clock(1000.0, 1000.0 + ahead_s).code is code


def test_a_clock_that_is_off_is_off_by_so_much_to_one_side():
    assert judge_clock(10_000.0, 10_000.0 - 7200).data == {"minutes": "120", "side": "behind"}
    assert judge_clock(10_000.0, 10_000.0 + 180).data == {"minutes": "3", "side": "ahead of"}
    assert judge_clock(None, 5.0).code is Code.CLOCK_UNKNOWN


def test_an_invitation_lets_in_or_is_refused_with_a_reason():
    assert judge_sign_in(is_tried=False).code is Code.SIGN_IN_NOT_TRIED
    assert judge_sign_in(is_tried=True).code is Code.SIGN_IN_FINE
    assert judge_sign_in(is_tried=True, is_broken_off=True).code is Code.SIGN_IN_BROKEN_OFF
    assert judge_sign_in(is_tried=True, code="invite_expired").data["reason"] == "invite_expired"


def test_the_worst_level_counts():
    fine, bad = finding(Step.PORT, Level.FINE, Code.PORT_FREE), finding(Step.PORT, Level.PROBLEM, Code.PORT_SILENT)
    assert worst([]) is Level.FINE
    assert worst([bad, fine]) is Level.PROBLEM


@pytest.mark.parametrize(
    ("seen_as", "wanted"),
    [
        ("192.168.1.7", (Level.FINE, Code.SEEN_AS_HERE)),
        ("fd12:3456::7", (Level.FINE, Code.SEEN_AS_HERE)),
        ("127.0.0.1", (Level.FINE, Code.SEEN_AS_HERE)),
        ("203.0.113.9", (Level.NOTE, Code.SEEN_TRANSLATED)),
    ],
)
def test_the_other_side_sees_this_machine_as_it_is_or_through_something(seen_as, wanted):
    found = judge_seen(seen_as, [WIFI, WIFI6])
    assert told(found) == wanted
    assert found.data["address"] == seen_as


def test_a_server_that_does_not_say_how_it_sees_us_is_no_finding():
    assert judge_seen("", [WIFI]) is None


@pytest.mark.parametrize(
    ("protocols", "level", "code"),
    [
        (None, Level.NOTE, Code.PROTOCOL_UNTOLD),
        ((1, 2), Level.FINE, Code.PROTOCOL_SPOKEN),
        ((2, 4), Level.FINE, Code.PROTOCOL_SPOKEN),
        ((3, 4), Level.PROBLEM, Code.PROTOCOL_TOO_OLD_HERE),
        ((1, 1), Level.PROBLEM, Code.PROTOCOL_TOO_OLD_THERE),
    ],
)
def test_both_speak_a_common_version_or_one_is_too_old(protocols, level, code):
    assert told(judge_protocol(protocols, 2)) == (level, code)


def other_side(**facts):
    found = judge_other_side(OtherSide(8091, **facts), [WIFI], hosts_heard=0)
    return {each.step: each for each in found}


def test_a_server_that_says_nothing_of_itself_is_no_problem():
    assert [told(each) for each in judge_other_side(None, [WIFI], hosts_heard=0)] == [(Level.NOTE, Code.THERE_UNTOLD)]


@pytest.mark.parametrize(
    ("theirs", "code"),
    [
        (InterfaceFact("eth0", "192.168.1.9", 24), Code.THERE_REACHED),
        (InterfaceFact("eth0", "10.1.1.9", 24), Code.THERE_APART),
        (InterfaceFact("wg0", "192.168.1.9", 24, is_vpn=True), Code.THERE_VPN),
    ],
)
def test_the_networks_of_both_sides_meet_or_do_not(theirs, code):
    assert other_side(interfaces=(theirs,))[Step.THERE].code is code
    assert Step.THERE not in other_side()


@pytest.mark.parametrize(
    ("firewall", "seen_as", "code"),
    [
        ("", "192.168.1.7", Code.THERE_FIREWALL_NONE),
        ("ufw", "192.168.1.7", Code.THERE_FIREWALL_LETS_IN),
        ("ufw", "127.0.0.1", Code.THERE_FIREWALL_ACTIVE),
        ("ufw", "", Code.THERE_FIREWALL_ACTIVE),
    ],
)
def test_a_firewall_there_lets_in_who_came_from_elsewhere(firewall, seen_as, code):
    assert other_side(firewall=firewall, seen_as=seen_as)[Step.THERE_FIREWALL].code is code


@pytest.mark.parametrize(
    ("is_announced", "heard", "code"),
    [
        (False, 0, Code.THERE_MDNS_NONE),
        (True, 0, Code.THERE_MDNS_LOST),
        (True, 1, Code.THERE_MDNS_HEARD),
        (True, None, Code.THERE_MDNS_HEARD),
    ],
)
def test_what_is_announced_there_arrives_here_or_is_lost(is_announced, heard, code):
    found = judge_other_side(OtherSide(8091, is_announced=is_announced), [WIFI], hosts_heard=heard)
    assert found[-1].code is code
