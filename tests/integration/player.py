"""The host of one orchestration, in this process: its activities do their real work."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

from shared.platform.durable import ACTIVITIES, ORCHESTRATIONS, Failure
from shared.platform.durable.handles import Envelope
from shared.platform.errors import TerminalError
from tests.failed_attempts import failed_attempt


class Job:
    """An activity or a child under way."""

    def __init__(self, run):
        self.future = asyncio.ensure_future(run)


class Player:
    """The host of one orchestration: activities of one fan run at once, timers fire at once."""

    current_utc_datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __init__(self):
        self.instance_id = str(uuid4())

    def set_custom_status(self, status):
        pass

    def call_activity(self, name, payload):
        async def run():
            try:
                return await ACTIVITIES[name].answer(payload)
            except Exception as error:
                raise failed_attempt(name, error) from None

        return Job(run())

    def call_sub_orchestrator(self, name, payload):
        child = ORCHESTRATIONS[name]

        async def run():
            try:
                value = await Player().play(child, child.takes.model_validate_json(payload))
            except TerminalError as error:  # a child's error crosses as a value, as an activity's does
                return Envelope(failure=Failure.of(error)).model_dump_json()
            return Envelope(value=value.model_dump_json()).model_dump_json()

        return Job(run())

    def create_timer(self, _):
        return None

    def task_any(self, tasks):
        return tasks

    async def play(self, orchestration, given):
        steps, go_on, value = orchestration.run(self, given), "send", None
        while True:
            try:
                wanted = getattr(steps, go_on)(value)
            except StopIteration as end:
                return end.value
            go_on, value = "send", None
            if isinstance(wanted, list):
                await asyncio.gather(*(job.future for job in wanted), return_exceptions=True)
            elif wanted is not None:
                try:
                    value = await wanted.future
                except Exception as error:
                    go_on, value = "throw", error
