"""Every finding has words, every problem a remedy, and nothing secret is in a report."""

import sys

import pytest

from texswarm_desktop.core.doctor import (
    Answer,
    Code,
    Finding,
    Firewall,
    Level,
    Step,
    finding,
    judge_firewall,
    judge_name,
    judge_neighbour,
    judge_port,
    judge_proxy,
    judge_sign_in,
)
from texswarm_desktop.ui.doctor_texts import STEP_WORDS, report_of, text_of_finding, verdict_of

DATA = {
    name: name.upper()
    for name in ("address", "addresses", "names", "host", "interface", "count", "proxy", "took_ms", "detail", "version")
} | {
    "here": "1.0", "status": "404", "minutes": "3", "side": "behind", "port": "8091", "firewall": "ufw",
    "reason": "invite_expired", "answer": "407 Sign in",
}  # fmt: skip


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_sentence(code: Code) -> None:
    text = text_of_finding(Finding(Step.PORT, Level.NOTE, code, DATA))
    assert text.sentence.endswith(".")
    assert "{" not in text.sentence + text.remedy


@pytest.mark.parametrize("code", [code for code in Code if code.value.endswith(("_unknown", "_silent", "_refused"))])
def test_what_stands_in_the_way_has_a_remedy(code: Code) -> None:
    if code is not Code.CLOCK_UNKNOWN:
        assert text_of_finding(Finding(Step.PORT, Level.PROBLEM, code, DATA)).remedy


def test_every_step_has_a_name() -> None:
    assert set(STEP_WORDS) == set(Step)


@pytest.mark.parametrize("firewall", Firewall)
def test_each_firewall_has_its_exact_command(firewall: Firewall) -> None:
    assert "8091" in (remedy := text_of_finding(judge_firewall(firewall, 8091)).remedy) or firewall is Firewall.MACOS
    command = {"ufw": "ufw allow 8091/tcp", "firewalld": "--add-port=8091/tcp", "windows": "localport=8091"}
    macos = f'sudo /usr/libexec/ApplicationFirewall/socketfilterfw --unblockapp "{sys.executable}"'
    assert command.get(firewall, macos) in remedy


def test_a_host_behind_a_firewall_is_told_every_command() -> None:
    text = text_of_finding(finding(Step.NEIGHBOUR, Level.PROBLEM, Code.NEIGHBOUR_FIREWALL, address="a", port=8091))
    assert all(word in text.remedy for word in ("ufw allow", "firewall-cmd", "netsh", "--unblockapp"))


@pytest.mark.parametrize(("system", "command"), [("Linux", "timedatectl"), ("Darwin", "sntp"), ("Windows", "w32tm")])
def test_a_clock_is_set_by_the_command_of_the_system(system: str, command: str) -> None:
    found = finding(Step.CLOCK, Level.WARNING, Code.CLOCK_OFF, minutes=3, side="behind")
    assert command in text_of_finding(found, system=system).remedy


@pytest.mark.parametrize(
    ("system", "command"), [("Linux", 'export no_proxy="lab.example,'), ("Windows", "set no_proxy=")]
)
def test_a_proxy_that_fails_is_left_out_by_an_exact_command(system: str, command: str) -> None:
    found = judge_proxy("p:3128", Answer.SILENT, host="lab.example")
    assert command in text_of_finding(found, system=system).remedy
    assert "lab.example" in text_of_finding(found, system=system).remedy


def test_a_refused_invitation_is_told_in_the_words_of_the_status_line() -> None:
    text = text_of_finding(judge_sign_in(is_tried=True, code="invite_expired"))
    assert (text.sentence, text.remedy) == (
        "The server said no: Invitation expired.",
        "This invitation has expired, so ask for a new one.",
    )


def test_a_report_says_everything_and_ends_with_the_verdict() -> None:
    found = [
        finding(Step.LINK, Level.FINE, Code.LINK_FINE, address="10.0.0.2:8091"),
        finding(Step.PORT, Level.PROBLEM, Code.PORT_REFUSED, host="10.0.0.2", port=8091),
    ]
    report = report_of(found)
    assert report.startswith("TeXSwarm ")
    assert "ok    Link" in report
    assert "FAIL  Port" in report
    assert report.rstrip().endswith("nobody listens on port 8091.")


def test_the_verdict_is_the_first_problem() -> None:
    assert verdict_of([]) == "Everything that was looked at is as it should be."
    assert verdict_of([judge_firewall(Firewall.UFW, 1)]).startswith("It should work")


def test_the_verdict_is_what_explains_a_port_that_is_shut() -> None:
    shut = judge_port("10.0.0.2", 8091, Answer.SILENT, 0, is_explained=True)
    why = judge_neighbour("10.0.0.2", 8091, is_neighbour_known=True)
    assert why is not None
    assert verdict_of([shut, why]) == text_of_finding(why).sentence
    no_name = judge_name("nowhere.example", None)
    assert verdict_of([no_name, shut, why]) == text_of_finding(no_name).sentence
