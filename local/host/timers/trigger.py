"""Timer triggers: one loop each, never overlapping itself, with a schedule that survives a restart."""

import asyncio
import contextlib
import json
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from azure.functions import meta

from local.host.core.clock import Clock
from local.host.core.errors import HostStopping
from local.host.core.functions import Function, FunctionError
from local.host.core.logs import host_log
from local.host.core.newtonsoft import date_text, round_trip
from local.host.core.tasks import start_task
from local.host.timers.schedules import Schedule, ScheduleInvalid, parse_schedule
from local.host.timers.states import NEVER, States, Status, parse_time
from local.host.worker.calls import HOST_API_REASON, Call
from local.host.worker.dispatch import Dispatcher
from local.host.worker.failures import RunFailed


class TimerTriggers:
    """The timers of the app. `start` and `stop` may follow each other, as on a reload."""

    def __init__(self, dispatcher: Dispatcher, clock: Clock, folder: Path, zone: tzinfo) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._states = States(folder)
        self._zone = zone
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, functions: list[Function]) -> list[FunctionError]:
        """Start a loop for each timer; the ones with a schedule that cannot be read are refused."""
        refused: list[FunctionError] = []
        for function in functions:
            try:
                schedule = parse_schedule(function.trigger.text("schedule"), self._zone)
            except ScheduleInvalid as error:
                refused.append(FunctionError(function.name, str(error)))
                continue
            self._tasks.append(start_task(self._run(function, schedule), f"timer {function.name}"))
        return refused

    async def stop(self) -> None:
        """Fire no more; a run that has begun goes on."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def run_by_hand(self, function: Function) -> None:
        """Run a timer function out of turn, as POST /admin/functions/{name} does."""
        await self._fire(function, _request(None, past_due=False), HOST_API_REASON)

    async def _run(self, function: Function, schedule: Schedule) -> None:
        monitored = function.trigger.text("useMonitor", "True").lower() != "false" and not schedule.is_sub_minute
        now = self._clock.now()
        status, past_due = self._resume(function, schedule, now) if monitored else (None, False)
        due = schedule.next_after(now)
        if past_due and status is not None:
            details = f"UnscheduledInvocationReason: IsPastDue, OriginalSchedule: {status.next}"
            due = await self._once(function, schedule, status, past_due=True, details=details, monitored=monitored)
        elif function.trigger.text("runOnStartup").lower() == "true":
            details = "UnscheduledInvocationReason: RunOnStartup"
            due = await self._once(function, schedule, status, past_due=False, details=details, monitored=monitored)
        while True:
            await self._clock.sleep_until(due)
            due = await self._once(
                function,
                schedule,
                self._states.load(function.name) if monitored else None,
                past_due=False,
                monitored=monitored,
            )

    async def _once(
        self,
        function: Function,
        schedule: Schedule,
        status: Status | None,
        *,
        past_due: bool,
        monitored: bool,
        details: str = "",
    ) -> datetime:
        """One run; answers when the next one is due, counted from this one's start."""
        started = self._clock.now()
        due = schedule.next_after(started)

        async def run() -> None:
            reason = f"Timer fired at {round_trip(started.astimezone(self._zone))}"
            await self._fire(function, _request(status, past_due=past_due), reason, details)
            if monitored:
                self._states.save(
                    function.name, Status(self._text(started), self._text(due), self._text(self._clock.now()))
                )

        # A stop or a reload ends this loop, not the function that runs: the dispatcher waits for that one.
        await asyncio.shield(asyncio.create_task(run()))
        return due

    async def _fire(self, function: Function, request: str, reason: str, details: str = "") -> None:
        with contextlib.suppress(RunFailed, HostStopping):  # logged; the schedule goes on
            await self._dispatcher.run(
                function, Call(reason=reason, value=meta.Datum(request, "json"), details=details)
            )

    def _resume(self, function: Function, schedule: Schedule, now: datetime) -> tuple[Status, bool]:
        """The kept status and whether a run was missed while the host was away."""
        kept = self._states.load(function.name)
        if kept is not None:
            basis = kept.last if kept.last != NEVER else kept.last_updated
            unchanged = schedule.next_after(parse_time(basis)) == parse_time(kept.next)
            if unchanged:
                missed = now > parse_time(kept.next)
                if missed:
                    host_log.info("Timer '%s' was due at %s while the host was away.", function.name, kept.next)
                return kept, missed
        last = kept.last if kept is not None else NEVER
        status = Status(last, self._text(schedule.next_after(now)), self._text(now))
        self._states.save(function.name, status)
        return status, False

    def _text(self, moment: datetime) -> str:
        return date_text(moment.astimezone(self._zone))


def _request(status: Status | None, *, past_due: bool) -> str:
    request: dict[str, Any] = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": status.as_json() if status is not None else None,
        "IsPastDue": past_due,
    }
    return json.dumps(request)
