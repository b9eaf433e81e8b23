"""What the user reads about each finding of the join doctor: how it is, and exactly what to do about it. No Qt.

A test finds a code without words. Remedies that are commands stand alone on their line, to be copied.
"""

import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from texswarm_desktop.core.doctor import Code, Finding, Firewall, Level, Step, main_problem, worst
from texswarm_desktop.ui.error_texts import text_of_code
from texswarm_server import __version__
from texswarm_server.protocol.firewall import opening_command

STEP_WORDS: Final[dict[Step, str]] = {
    Step.LINK: "Link",
    Step.NETWORK: "Network here",
    Step.VPN: "VPN",
    Step.NAME: "Name",
    Step.ADDRESS: "Address",
    Step.MDNS: "Discovery",
    Step.PROXY: "Proxy",
    Step.PORT: "Port",
    Step.NEIGHBOUR: "On the way",
    Step.FIREWALL: "Firewall here",
    Step.REDIRECT: "Sent on",
    Step.TLS: "Encryption",
    Step.SERVER: "Server",
    Step.PROTOCOL: "Protocol",
    Step.SEEN: "Seen from there",
    Step.CLOCK: "Clock",
    Step.SIGN_IN: "Invitation",
    Step.THERE: "Network there",
    Step.THERE_FIREWALL: "Firewall there",
    Step.THERE_MDNS: "Discovery there",
}
_WIDTH: Final = max(map(len, STEP_WORDS.values()))
_SIGNS: Final = {Level.FINE: "ok  ", Level.NOTE: "note", Level.WARNING: "WARN", Level.PROBLEM: "FAIL"}


@dataclass(frozen=True, slots=True)
class FindingText:
    """Words about a finding. `remedy`: what to do, empty where nothing is to be done; it may have several lines."""

    sentence: str
    remedy: str = ""


_ASK_THE_HOST: Final = "Ask the host to open the share sheet and to look whether it still shares, at which address."
_NEW_LINK: Final = "Ask for a new link."
_WORDS: Final[dict[Code, tuple[str, str]]] = {
    Code.LINK_FINE: ("The link leads to {address} and holds an invitation.", ""),
    Code.LINK_WITHOUT_INVITATION: (
        "The link leads to {address} and holds no invitation.",
        "Ask for one if the server wants it.",
    ),
    Code.LINK_UNREADABLE: ("This is no link.", "Copy all of it, from texswarm:// to its end."),
    Code.NETWORK_FINE: ("This computer is reached under {addresses}.", ""),
    Code.NETWORK_NONE: ("This computer is in no network.", "Switch Wi-Fi on, or plug a cable in."),
    Code.NETWORK_UNPLUGGED: (
        "This computer has addresses, and nothing carries them ({names}).",
        "Plug the cable in, or join the Wi-Fi.",
    ),
    Code.VPN_NONE: ("No VPN is active.", ""),
    Code.VPN_BESIDE: (
        "A VPN is active ({names}). It may take along what is meant for this room.",
        "If nothing else helps, switch the VPN off on both computers and try again.",
    ),
    Code.NAME_NEEDLESS: ("{host} is a number and needs no looking up.", ""),
    Code.NAME_FOUND: ("{host} is {addresses}.", ""),
    Code.NAME_UNKNOWN: ("Nobody knows the name {host}.", "Look for a slip in the name. Is this computer online?"),
    Code.NAME_UNKNOWN_LOCAL: (
        "No computer in this network says that it is {host}.",
        "Are both in the same network? Ask the host for the number instead of the name (share sheet).",
    ),
    Code.ADDRESS_THIS_MACHINE: ("{address} is this computer itself.", "From other computers it leads nowhere."),
    Code.ADDRESS_OWN: (
        "{address} is this computer itself, as its network knows it.",
        "It leads others here too. Whether they get through shows only when this check runs on another computer.",
    ),
    Code.ADDRESS_SAME_NETWORK: ("{address} is in the same network, over {interface}.", ""),
    Code.ADDRESS_UNPLUGGED: (
        "{address} is in the network of {interface}, which nothing carries now.",
        "Plug its cable in, or join its Wi-Fi.",
    ),
    Code.ADDRESS_OTHER_NETWORK: (
        "{address} belongs to a private network that this computer is not in.",
        "Join the host's Wi-Fi or VPN; guest networks are often apart from the others.",
    ),
    Code.ADDRESS_PUBLIC: ("{address} is out on the internet.", ""),
    Code.MDNS_HOSTS: ("Hosts that announce themselves in this network: {count}.", ""),
    Code.MDNS_SILENT: (
        "No host was heard announcing itself.",
        "That is no obstacle: a link or a code does without. Some networks swallow announcements.",
    ),
    Code.MDNS_BLOCKED: (
        "This computer cannot ask who hosts in this network.",
        "Use a link or a code, or let UDP port 5353 through the firewall here.",
    ),
    Code.PROXY_USED: ("The system's proxy {proxy} stands in between, and answers.", ""),
    Code.PROXY_FAILS: (
        "The system's proxy {proxy} does not answer.",
        "Correct it in the system's network settings, or leave this server out of it, for programs started after:\n"
        "  {no_proxy}",
    ),
    Code.PROXY_REFUSES: (
        "The system's proxy {proxy} does not pass on to {host}: {answer}.",
        "Does it want a name and a password (system's network settings)? Or leave this server out of it, for programs "
        "started after:\n  {no_proxy}",
    ),
    Code.PROXY_UNREADABLE: (
        "What this system has for a proxy is no address of one.",
        "It reads like http://HOST:PORT or socks5h://HOST:PORT, in the system's network settings or in the environment "
        "(HTTPS_PROXY, ALL_PROXY).",
    ),
    Code.PORT_OPEN: ("Somebody listens on port {port}, {took_ms} ms away.", ""),
    Code.PORT_REFUSED: (
        "The machine answers, and nobody listens on port {port}.",
        f"The host no longer shares, or under another port, or its firewall turns others away. {_ASK_THE_HOST}",
    ),
    Code.PORT_SILENT: (
        "Nothing comes back from port {port}.",
        "Something on the way swallows it: the server's firewall, or a router that does not pass the port on. "
        f"{_ASK_THE_HOST}",
    ),
    Code.PORT_UNREACHABLE: (
        "There is no way to {host}.",
        f"The machine is off, or in another network. {_ASK_THE_HOST}",
    ),
    Code.PORT_BROKEN_OFF: (
        "The connection to port {port} broke off at once.",
        "Something on the way ends it: a firewall, or a filter of the network.",
    ),
    Code.PORT_SHUT: ("Nothing gets through to port {port}.", "The line below says why."),
    Code.PORT_FREE: ("Port {port} is free to host on.", ""),
    Code.PORT_OURS: ("TeXSwarm listens on port {port}.", ""),
    Code.PORT_TAKEN: (
        "Another program has port {port}; hosting takes another one.",
        "Links carry the port, so nothing is to be done.",
    ),
    Code.NEIGHBOUR_FIREWALL: (
        "The computer {address} is there, and lets nothing through to port {port}: its firewall.",
        "",
    ),
    Code.NEIGHBOUR_ISOLATED: (
        "Nobody answers at {address}, although it is in the same network.",
        "The host is off, has another address now, or the Wi-Fi keeps its clients apart (client or access-point "
        "isolation, usual in guest networks and hotels).\nUse another network: a cable, or a phone's hotspot.",
    ),
    Code.NEIGHBOUR_VPN: (
        "The VPN ({interface}) takes along what is meant for {address}, which is in this computer's own network.",
        "Switch the VPN off, or let it leave the local network alone (split tunnel, LAN access).",
    ),
    Code.FIREWALL_NONE: ("No firewall that is known here is active.", ""),
    Code.FIREWALL_ACTIVE: ("The firewall of this computer is active; others get in only if it lets them.", ""),
    Code.TLS_NONE: (
        "The connection is not encrypted.",
        "In a network of your own that may do. A host's own links are encrypted.",
    ),
    Code.TLS_PINNED: ("Encrypted, and the certificate is the one that the link names.", ""),
    Code.TLS_TRUSTED: ("Encrypted, with a certificate that this system trusts.", ""),
    Code.TLS_SERVER_IS_PLAIN: (
        "The link says encrypted, and the server does not speak TLS.",
        f"{_NEW_LINK} Is the port the right one?",
    ),
    Code.TLS_SERVER_WANTS_IT: (
        "The link says not encrypted, and the server speaks TLS only.",
        f"{_NEW_LINK} Or add tls=1 to this one.",
    ),
    Code.TLS_OTHER_CERTIFICATE: (
        "The server shows another certificate than the link names. It may be another server, or somebody in between.",
        "Do not sign in. Ask the host for a new link, by a way that you trust.",
    ),
    Code.TLS_UNTRUSTED: (
        "Nobody vouches for the server's certificate: {detail}.",
        "Use a link that names its certificate (fp=…), or ask the operator.",
    ),
    Code.TLS_EXPIRED: (
        "The server's certificate has expired.",
        "Ask the operator to renew it. Is the clock of this computer right?",
    ),
    Code.TLS_NOT_YET: ("The server's certificate does not hold yet.", "The clock of this computer is behind: set it."),
    Code.SERVER_OURS: ("A TeXSwarm server of version {version} answers; this program is {here}.", ""),
    Code.SERVER_OTHER: (
        "A web server answers, and it is not TeXSwarm ({status}).",
        f"The address or the port is another program's. {_NEW_LINK}",
    ),
    Code.SERVER_SENDS_ON: (
        "The server sends its guests on to {address}, and this program goes along.",
        "A link to that address would save the detour.",
    ),
    Code.SERVER_MOVED: (
        "The server has moved to {address}, another name, to which nobody is followed unasked.",
        "If you trust it, ask for an invitation to that address.",
    ),
    Code.SERVER_PORTAL: (
        "A web page answers in place of the server ({status}).",
        "This network wants a sign-in first: open a web browser and go to any page.",
    ),
    Code.SERVER_AWAY: (
        "A proxy in front of the server says that the server is away ({status}).",
        "Ask the operator to start it.",
    ),
    Code.SERVER_NO_HTTP: (
        "Something listens there that is no TeXSwarm server.",
        f"Another program has this port. {_NEW_LINK}",
    ),
    Code.SERVER_MUTE: (
        "The connection is taken, and nobody says a word.",
        "The server is too busy, or this network takes everything until somebody signs in: open a web browser and go "
        "to any page.",
    ),
    Code.SERVER_FULL: ("The server lets nobody more in now.", "Wait a little: it is tried again by itself."),
    Code.PROTOCOL_SPOKEN: ("Both speak version {here} of the protocol.", ""),
    Code.PROTOCOL_UNTOLD: ("The server does not tell which version of the protocol it speaks.", ""),
    Code.PROTOCOL_TOO_OLD_HERE: (
        "The server speaks version {version} of the protocol and later ones, and this program {here}.",
        "Update TeXSwarm on this computer.",
    ),
    Code.PROTOCOL_TOO_OLD_THERE: (
        "The server speaks the protocol up to version {version}, and this program {here}.",
        "Ask the host or the operator to update TeXSwarm there.",
    ),
    Code.SEEN_AS_HERE: ("The server sees this computer as {address}: nothing stands in between.", ""),
    Code.SEEN_TRANSLATED: (
        "The server sees this computer as {address}: a router, a VPN or a proxy stands in between.",
        "To join from here that does no harm. To be joined, host on the side where the others are, or on a server.",
    ),
    Code.CLOCK_FINE: ("The clocks here and there agree.", ""),
    Code.CLOCK_OFF: (
        "The clock of this computer is {minutes} minutes {side} the server's.",
        "Invitations and certificates then look expired, or not yet good. Let the system set the clock:\n  {command}",
    ),
    Code.CLOCK_UNKNOWN: ("The server does not tell the time.", ""),
    Code.SIGN_IN_FINE: ("The server takes the invitation.", ""),
    Code.SIGN_IN_REFUSED: ("", ""),
    Code.SIGN_IN_BROKEN_OFF: (
        "The connection broke off during the sign-in.",
        "Try again; if it stays, pass this report on to the host.",
    ),
    Code.SIGN_IN_NOT_TRIED: ("No invitation was tried.", ""),
    Code.THERE_REACHED: ("The server is reached under {addresses}.", ""),
    Code.THERE_VPN: (
        "The server is reached under {addresses}. A VPN is active there ({names}).",
        "If some find the host and others do not, switch the VPN off there.",
    ),
    Code.THERE_APART: (
        "The server is reached under {addresses}, in none of the networks of this computer.",
        "The way goes through a router or a VPN. In the list of hosts it may be missing: use a link or a code.",
    ),
    Code.THERE_UNTOLD: ("The server does not say how it is on its side.", ""),
    Code.THERE_FIREWALL_NONE: ("No firewall that is known is active at the server.", ""),
    Code.THERE_FIREWALL_LETS_IN: ("The server's firewall is active, and lets this computer in.", ""),
    Code.THERE_FIREWALL_ACTIVE: ("The server's firewall is active; others get in only if it lets them.", ""),
    Code.THERE_MDNS_HEARD: ("The server announces itself in its network.", ""),
    Code.THERE_MDNS_LOST: (
        "The server announces itself, and nothing of that arrives here.",
        "The network swallows announcements, or a firewall: let UDP port 5353 through on both computers, or use a "
        "link or a code, which do without.",
    ),
    Code.THERE_MDNS_NONE: (
        "The server does not announce itself in its network.",
        "Use a link or a code. A server without a window is announced by:\n  texswarm-server serve --advertise NAME",
    ),
}
_CLOCK_COMMANDS: Final = {
    "Linux": "timedatectl set-ntp true",
    "Darwin": "sudo sntp -sS time.apple.com",
    "Windows": "w32tm /resync",
}
_NO_PROXY: Final = 'export no_proxy="{host},$no_proxy"'
_NO_PROXY_WINDOWS: Final = "set no_proxy={host},%no_proxy%"
_FIREWALL_OF: Final = {
    Firewall.UFW: "Ubuntu, Debian (ufw)",
    Firewall.FIREWALLD: "Fedora, openSUSE (firewalld)",
    Firewall.WINDOWS: "Windows",
    Firewall.MACOS: "macOS",
}


def text_of_finding(finding: Finding, *, system: str | None = None) -> FindingText:
    """Return the words about a finding. `system`: whose commands to name, this one's unless given."""
    if finding.code is Code.SIGN_IN_REFUSED:
        text = text_of_code(finding.data["reason"])
        return FindingText(f"The server said no: {text.title}.", text.sentence)
    sentence, remedy = _WORDS[finding.code]
    name = system or platform.system()
    data = {**finding.data, "command": _CLOCK_COMMANDS.get(name, "the date and time settings")}
    data["no_proxy"] = (_NO_PROXY_WINDOWS if name == "Windows" else _NO_PROXY).format(host=data.get("host", ""))
    return FindingText(sentence.format(**data), _commands(finding) or remedy.format(**data))


def _commands(finding: Finding) -> str:
    """Return what to type to let others through a firewall: here, or at a host of which the system is not known."""
    if finding.code is Code.FIREWALL_ACTIVE:
        command = opening_command(finding.data["firewall"], int(finding.data["port"]), sys.executable)
        return f"Let them through, as administrator:\n  {command}"
    if finding.code in {Code.THERE_FIREWALL_LETS_IN, Code.THERE_FIREWALL_ACTIVE}:
        return _commands_there(finding)
    if finding.code is not Code.NEIGHBOUR_FIREWALL:
        return ""
    lines = [f"{_FIREWALL_OF[each]}:\n  {opening_command(each, int(finding.data['port']))}" for each in Firewall]
    return "\n".join(["The host lets guests through with one of these, as administrator:", *lines])


def _commands_there(finding: Finding) -> str:
    """A firewall that only a newer server knows has no command here."""
    firewall, port = finding.data["firewall"], int(finding.data["port"])
    if firewall not in set(Firewall):
        return f"If others cannot come in, let TCP port {port} through there."
    return f"If others cannot come in, type there, as administrator:\n  {opening_command(firewall, port)}"


def verdict_of(findings: Sequence[Finding]) -> str:
    """Return the whole in one sentence."""
    problem = main_problem(findings)
    if problem is not None:
        return text_of_finding(problem).sentence
    if worst(findings) is Level.WARNING:
        return "It should work; something may get in the way."
    return "Everything that was looked at is as it should be."


def report_of(findings: Sequence[Finding]) -> str:
    """Return all findings as a text to pass on; there is no secret in it."""
    return "\n".join([*report_head(), *map(line_of, findings), "", verdict_of(findings), ""])


def report_head() -> list[str]:
    """Return the first lines of a report: what program, on what."""
    system = f"{platform.system()} {platform.release()}"
    return [f"TeXSwarm {__version__} · {system} · Python {platform.python_version()}", ""]


def line_of(finding: Finding) -> str:
    """Return a finding as a line, and what is to be done in lines below it."""
    text = text_of_finding(finding)
    lines = [f"{_SIGNS[finding.level]}  {STEP_WORDS[finding.step]:<{_WIDTH}}  {text.sentence}"]
    return "\n".join([*lines, *(f"{'':<{_WIDTH + 8}}{line}" for line in text.remedy.splitlines())])
