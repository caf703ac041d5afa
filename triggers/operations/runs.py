"""For operators: what runs, how far it is, why it failed, and how to terminate it. Never shows what a run was given."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

from shared.platform.access.auth import ADMIN, Caller
from shared.platform.durable import DurableClient, Instance, Place, RunState, newest
from shared.platform.errors import NotFound, UnusableCursor
from shared.platform.http import Page, PageQuery, Pagination, Routes
from shared.platform.models import LazyModel
from shared.platform.printable import Seen

routes = Routes(tag="operations")


def _date_first(value: object) -> object:
    """Pydantic would read a number as seconds since 1970, which no caller of a `date-time` means."""
    if isinstance(value, str) and "-" not in value[1:]:
        raise ValueError("A date and time as in 2026-11-21T02:00:00Z is needed.")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_date_first)]
RunId = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^@/\\#?][^/\\#?]*$")]


class RunsQuery(PageQuery):
    """Which runs to list."""

    status: list[RunState] = Field(default=[], description="Only runs in one of these states")
    prefix: str | None = Field(default=None, max_length=100, description="Only runs whose id begins with this")
    name: str | None = Field(
        default=None, max_length=100, description="Only orchestrations whose name begins with this; pages may be short"
    )
    since: Instant | None = Field(default=None, description="Only runs created at this time or later")
    order: Literal["id", "newest"] = Field(default="id", description="newest: by time of creation, `since` left out")


class RunError(LazyModel):
    """Why a run ended without its result."""

    code: str | None = Field(description="Stable name of the cause, where it is known")
    message: str
    remedy: str | None = None


class Run(LazyModel):
    """One orchestration."""

    id: str
    name: str
    status: RunState
    created_at: datetime
    updated_at: datetime
    seconds: float = Field(description="From its creation to its last change")
    progress: Any = Field(description="What the run says about itself: counts, percent")
    error: RunError | None = None


class Step(LazyModel):
    """What a run did under one name."""

    name: str
    completed: int = 0
    failed: int = Field(default=0, description="Failed attempts, retried ones included")
    open: int = Field(default=0, description="Scheduled and not ended yet")
    longest_seconds: float = Field(default=0, description="From scheduling to the end, of the longest")


class RunDetails(Run):
    """One orchestration with its result and a summary of its history."""

    output: Any = None
    events: int = Field(description="Events of its history")
    steps: list[Step]


class Termination(LazyModel, extra="forbid"):
    """Why a run is terminated."""

    reason: Annotated[str, Field(min_length=1, max_length=500), Seen] = "Terminated by an operator."


@routes.get("/ops/runs", needs=ADMIN, summary="List orchestrations")
async def list_runs(query: RunsQuery, client: DurableClient) -> Page[Run]:
    """Orchestrations with their progress, in the order of their ids or newest first."""
    if query.order == "newest":
        return await _newest(query, client)
    found = await client.page(
        top=query.limit, continuation=_place(query), states=query.status, prefix=query.prefix, since=query.since
    )
    runs = [Run(**_shown(one)) for one in found.instances if one.name.startswith(query.name or "")]
    return Page(data=runs, pagination=Pagination(limit=query.limit, next=_cursor(query, found.continuation)))


async def _newest(query: RunsQuery, client: DurableClient) -> Page[Run]:
    found = await newest(
        client,
        limit=query.limit,
        before=Place.read(place) if (place := _place(query)) is not None else None,
        states=query.status,
        prefix=query.prefix,
        fits=lambda one: one.name.startswith(query.name or ""),
    )
    runs = [Run(**_shown(one)) for one in found.instances]
    return Page(data=runs, pagination=Pagination(limit=query.limit, next=_cursor(query, found.following)))


def _cursor(query: RunsQuery, place: Place | str | None) -> str | None:
    """A place is one of its order: in the other it would be read as some other place."""
    return None if place is None else f"{query.order} {place}"


def _place(query: RunsQuery) -> str | None:
    """Raises UnusableCursor if it is a place of another order."""
    if query.cursor is None:
        return None
    order, _, place = query.cursor.partition(" ")
    if order != query.order:
        raise UnusableCursor(f"The cursor belongs to the order {order!r}.")
    return place


@routes.get("/ops/runs/{run_id}", needs=ADMIN, summary="One orchestration with its steps")
async def read_run(run_id: RunId, client: DurableClient) -> RunDetails:
    """Its state, its progress, its error and what its history tells."""
    run = await client.find(run_id, history=True)
    if run is None:
        raise NotFound(f"There is no run {run_id}.", remedy="List the runs at /ops/runs.")
    history = run.history or []
    output = run.output if run.state is RunState.COMPLETED else None
    return RunDetails(**_shown(run), output=output, events=len(history), steps=summarise(history))


@routes.post("/ops/runs/{run_id}/terminate", needs=ADMIN, summary="Terminate an orchestration")
async def terminate_run(
    run_id: RunId,
    client: DurableClient,
    caller: Caller,
    body: Termination = Termination.model_construct(),  # noqa: B008 - nobody changes it
) -> None:
    """It ends at its next step; activities and children that already run go on to their end."""
    await client.terminate(run_id, f"{body.reason} ({caller.name})")


def _shown(run: Instance) -> dict[str, Any]:
    return {
        "id": run.instance_id,
        "name": run.name,
        "status": run.state,
        "created_at": run.created_at,
        "updated_at": run.updated_at,
        "seconds": (run.updated_at - run.created_at).total_seconds(),
        "progress": run.progress,
        "error": error_of(run),
    }


def error_of(run: Instance) -> RunError | None:
    """Why a run ended without its result; None for one that did not."""
    if run.state in (RunState.TERMINATED, RunState.CANCELED):
        return RunError(code=run.state.value.lower(), message=str(run.output or "Terminated without a reason."))
    if run.state is not RunState.FAILED:
        return None
    if run.failure is not None:
        return RunError(code=run.failure.code, message=run.failure.message, remedy=run.failure.remedy)
    # Not an error of this app's own kind: the host's text, behind its "Orchestrator function 'x' failed: ".
    text = str(run.output or "No reason was given.")
    return RunError(code=None, message=text.partition(" failed: ")[2].strip() or text)


_OUTCOMES = {
    "TaskScheduled": "open",
    "TaskCompleted": "completed",
    "TaskFailed": "failed",
    "SubOrchestrationInstanceCreated": "open",
    "SubOrchestrationInstanceCompleted": "completed",
    "SubOrchestrationInstanceFailed": "failed",
}


def summarise(history: list[dict[str, Any]]) -> list[Step]:
    """Counts and times by name. The host merges the scheduling of a step into its end; what is left of it is open."""
    steps: dict[str, Step] = {}
    for event in history:
        outcome = _OUTCOMES.get(event.get("EventType", ""))
        if outcome is None:
            continue
        name = event.get("FunctionName") or event.get("Name") or "unknown"
        step = steps.setdefault(name, Step(name=name))
        setattr(step, outcome, getattr(step, outcome) + 1)
        if outcome != "open" and "ScheduledTime" in event:
            took = datetime.fromisoformat(event["Timestamp"]) - datetime.fromisoformat(event["ScheduledTime"])
            step.longest_seconds = max(step.longest_seconds, round(took.total_seconds(), 3))
    return sorted(steps.values(), key=lambda step: step.name)
