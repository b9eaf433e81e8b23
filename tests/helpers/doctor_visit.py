"""A visit of the join doctor: what it finds on a road, step by step; no report of it may hold a secret."""

from collections.abc import Collection
from typing import Any, Final

from texswarm_desktop.client.join_doctor import JoinDoctor, Visitor
from texswarm_desktop.core.doctor import Code, Finding, Firewall, InterfaceFact, Level, Step
from texswarm_desktop.ui.doctor_texts import report_of

ADA: Final = Visitor("99999999-9999-4999-8999-999999999999", "Ada")


class FakeMachine:
    """A machine in a network of its own, without a firewall."""

    def __init__(
        self, firewall: Firewall | None = None, *, has_network: bool = True, taken_ports: Collection[int] = ()
    ) -> None:
        self._firewall, self._has_network, self._taken_ports = firewall, has_network, taken_ports

    def interfaces(self) -> tuple[InterfaceFact, ...]:
        return (InterfaceFact("eth0", "192.0.2.7", 24),) if self._has_network else ()

    def firewall(self) -> Firewall | None:
        return self._firewall

    def is_neighbour_known(self, address: str) -> bool | None:
        return None

    def is_port_free(self, port: int) -> bool:
        return port not in self._taken_ports


async def examined(text: str | None, *, machine: Any = None, **options: Any) -> dict[Step, Finding]:
    doctor = JoinDoctor(machine or FakeMachine(), ADA, **{"patience_s": 1.0} | options)
    found = [each async for each in doctor.examine(text)]
    assert "token=" not in report_of(found)
    return {each.step: each for each in found}


def codes(found: dict[Step, Finding]) -> set[Code]:
    return {each.code for each in found.values()}


def problems(found: dict[Step, Finding]) -> set[Code]:
    return {each.code for each in found.values() if each.level is Level.PROBLEM}
