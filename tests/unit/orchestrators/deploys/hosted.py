"""A host in memory that plays the orchestrations of deploys with answers that tests choose."""

from __future__ import annotations

from typing import Any

from activities.deploys.slots import deploy_slots
from shared.deploys.platforms.base import Revision
from shared.deploys.running import slots
from shared.deploys.running.slots import Slots
from shared.deploys.running.steps import DeploymentRef
from shared.platform.durable.handles import Envelope
from shared.platform.errors import TerminalError

REF = DeploymentRef(deployment_id="dep_AAAAAAAAAAAA", organization_id="org")


REVISION = Revision(name="r1", url="http://x", healthy=True)


STEPS = [
    "claim_deployment",
    "validate_deployment",
    "provision_container",
    "sync_files",
    "build_image",
    "release_revision",
    "promote_revision",
    "settle_deployment",
    "clean_up",
    "end_deployment",
]


class Task:
    """What the host schedules, and under which name it takes part in a race."""

    def __init__(self, run, name: str = "work") -> None:
        self.run = run
        self.name = name

    def cancel(self) -> None:
        self.run = lambda: None


def host_on(player: type) -> type:  # noqa: C901 - the methods of the class count as branches
    """A player with one entity, whose races the test decides."""

    class Host(player):
        def __init__(self) -> None:
            super().__init__()
            self.slots = Slots()
            self.wins: list[str] = []  # what wins the next race it takes part in: an event's name, or `timer`

        def new_uuid(self) -> str:
            return "execution"

        def call_entity(self, entity, operation, payload) -> Task:
            def ask() -> str:
                request = deploy_slots.takes.model_validate_json(payload)
                self.slots, answer = slots.decide(self.slots, request)
                self.calls.append((request.wants, request))
                return Envelope(value=answer.model_dump_json()).model_dump_json()

            return Task(ask)

        def wait_for_external_event(self, name: str) -> Task:
            return Task(lambda: None, name)

        def create_timer(self, fire_at) -> Task:
            return Task(super().create_timer(fire_at).run, "timer")

        def task_any(self, tasks) -> Task:
            return Task(lambda: self._first(tasks))

        def _first(self, tasks) -> Any:
            named = [getattr(one, "name", "work") for one in tasks]
            winner = next((name for name in self.wins if name in named), None)
            if winner is not None:
                self.wins.remove(winner)
                return tasks[named.index(winner)]
            if "work" in named:
                return tasks[named.index("work")]
            timer = tasks[named.index("timer")]
            timer.run()
            return timer

        def done(self) -> list[str]:
            return [name for name, _ in self.calls if name not in ("acquire", "release")]

    return Host


def failing(code: str):
    def fail(_: Any) -> Any:
        raise TerminalError(f"broken: {code}", code=code, remedy="Mend it.")

    return fail


def busy(play) -> None:
    """Somebody else works on the project."""
    other = play.fakes["claim_deployment"](None)
    request = slots.SlotRequest(
        wants="acquire",
        deployment_id="dep_BBBBBBBBBBBB",
        project=other.project,
        now=play.current_utc_datetime,
        seconds=100_000,
    )
    play.slots, _ = slots.decide(play.slots, request)
