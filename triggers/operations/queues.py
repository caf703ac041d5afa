"""For operators: how full the queues are, what could not be worked on, and putting it back; the service's figures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from shared.platform.access.auth import ADMIN
from shared.platform.cursors import OPENED
from shared.platform.durable import DurableClient, RunState
from shared.platform.http import Page, Pagination, Routes
from shared.platform.messaging import dead_letters, queue_figures
from shared.platform.messaging.dead_letters import DeadLetter, Resubmitted
from shared.platform.messaging.queue_figures import QueueFigures
from shared.platform.messaging.servicebus import check_queue
from shared.platform.models import LazyModel
from shared.platform.workload import workloads

routes = Routes(tag="operations")
QueueName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,260}$")]
SequenceNumber = Annotated[int, Field(ge=1, lt=2**63)]
COUNTED_RUNS = 1_000
_STARTED = datetime.now(UTC)


class Queues(LazyModel):
    """Every queue."""

    data: list[QueueFigures]


class DeadLettersQuery(LazyModel):
    """Which dead letters to list."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=100, description="Most dead letters of one page")
    cursor: Annotated[int, Field(ge=0, lt=2**63), OPENED] = Field(
        default=0, description="`pagination.next` of the page before"
    )


class ResubmitSome(LazyModel):
    """The dead letters to put back."""

    model_config = ConfigDict(extra="forbid")
    sequence_numbers: list[SequenceNumber] = Field(min_length=1, max_length=500)


class ResubmitAll(LazyModel):
    """Put all dead letters back."""

    model_config = ConfigDict(extra="forbid")
    all: Literal[True]


class ServiceStatus(LazyModel):
    """What the service does right now. Workloads add fields of their own, such as `feeds`."""

    model_config = ConfigDict(extra="allow")

    status: Literal["ok"] = "ok"
    started_at: datetime = Field(description="When this host instance loaded the app")
    running: dict[str, int] = Field(description="Orchestrations that have not ended, by name")
    more: bool = Field(description=f"true: counting stopped at {COUNTED_RUNS:,}")
    queues: list[QueueFigures]


@routes.get("/ops/queues", needs=ADMIN, summary="How full the queues are")
async def ops_list_queues() -> Queues:
    return Queues(data=await queue_figures.all_figures())


@routes.get("/ops/queues/{queue}/dead-letters", needs=ADMIN, summary="Messages that could not be worked on")
async def ops_dead_letters(queue: QueueName, query: DeadLettersQuery) -> Page[DeadLetter]:
    """Oldest first. Bodies are cut, and what looks like a secret is hidden."""
    check_queue(queue)
    found = await dead_letters.read_dead_letters(queue, limit=query.limit, first=query.cursor)
    following = str(found[-1].sequence_number + 1) if len(found) == query.limit else None
    return Page(data=found, pagination=Pagination(limit=query.limit, next=following))


@routes.post("/ops/queues/{queue}/dead-letters/resubmit", needs=ADMIN, summary="Put dead letters back into the queue")
async def ops_resubmit_dead_letters(queue: QueueName, body: ResubmitSome | ResubmitAll) -> Resubmitted:
    """They are delivered again, as often as the queue allows. 500 at most; call again for more."""
    check_queue(queue)
    numbers = body.sequence_numbers if isinstance(body, ResubmitSome) else None
    return await dead_letters.resubmit(queue, numbers)


@routes.get("/status", needs=ADMIN, summary="What the service does right now")
async def ops_status(client: DurableClient) -> ServiceStatus:
    """What runs, how full the queues are, and what each workload says of itself."""
    running: dict[str, int] = {}
    found = await client.page(top=COUNTED_RUNS, states=[RunState.PENDING, RunState.RUNNING, RunState.SUSPENDED])
    for one in found.instances:
        running[one.name] = running.get(one.name, 0) + 1
    return ServiceStatus(
        started_at=_STARTED,
        running=running,
        more=found.continuation is not None,
        queues=await queue_figures.all_figures(),
        **{field.name: await field.read() for workload in workloads() for field in workload.status},
    )


@routes.get("/status/queue", needs=ADMIN, summary="Queue metrics")
async def ops_queue_status() -> Queues:
    """The same figures as /ops/queues, under the address of the system being replaced."""
    return Queues(data=await queue_figures.all_figures())
