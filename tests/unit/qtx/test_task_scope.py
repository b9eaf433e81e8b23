"""A scope's tasks end with it, and their failures are never lost."""

import asyncio

import pytest

from texswarm_desktop.qtx.task_scope import ClosedScopeError, TaskScope


def test_closing_cancels_and_waits_for_what_runs() -> None:
    steps: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    async def main() -> None:
        async with TaskScope("window") as scope:
            scope.start("work", work())
            await asyncio.sleep(0)
        steps.append("closed")

    asyncio.run(main())
    assert steps == ["cleaned up", "closed"]


def test_tasks_are_named_after_their_scope() -> None:
    async def main() -> str:
        async with TaskScope("window") as scope:
            return scope.start("load", asyncio.sleep(0)).get_name()

    assert asyncio.run(main()) == "window: load"


def test_a_closed_scope_refuses_work() -> None:
    async def main() -> None:
        scope = TaskScope("window")
        await scope.close()
        await scope.close()
        assert scope.is_closed
        with pytest.raises(ClosedScopeError):
            scope.start("late", asyncio.sleep(0))

    asyncio.run(main())


@pytest.mark.expects_log
def test_a_failure_is_logged_and_told_and_stops_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Exception] = []
    done: list[str] = []

    async def fail() -> None:
        raise ValueError("no")

    async def work() -> None:
        await asyncio.sleep(0)
        done.append("work")

    async def main() -> None:
        async with TaskScope("window", told.append) as scope:
            await asyncio.wait([scope.start("fail", fail()), scope.start("work", work())])

    asyncio.run(main())
    assert [str(error) for error in told] == ["no"]
    assert done == ["work"]
    assert "window: fail failed" in caplog.text


def test_a_task_may_close_its_own_scope() -> None:
    async def main() -> bool:
        scope = TaskScope("window")
        task = scope.start("end", scope.close())
        await task
        return scope.is_closed

    assert asyncio.run(main())


def test_what_work_returns_is_handed_on() -> None:
    async def work() -> int:
        return 7

    async def main() -> int:
        async with TaskScope("window") as scope:
            result: int = await scope.start("work", work())
            return result

    assert asyncio.run(main()) == 7
