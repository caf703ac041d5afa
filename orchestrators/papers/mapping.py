"""The order of making a map: sample, neighbours, fit, model, places, files, swap. And of placing what comes later."""

from __future__ import annotations

from activities.papers.mapping import (
    clear_maps,
    draw_map,
    end_map,
    find_neighbours,
    fit_map,
    index_sample,
    place_new_papers,
    place_papers,
    plan_map,
    publish_map,
    swap_map,
)
from shared.papers.maps.models import (
    SHARE_ROWS,
    EndMap,
    FitBox,
    MapPlan,
    MapRef,
    MapSummary,
    NeighbourShare,
    Placed,
    PlaceShare,
)
from shared.papers.models import MOST_BOXES
from shared.platform.durable import Context, Steps, call, fan_out, orchestration, progress, repeat
from shared.platform.errors import TerminalError


@orchestration
def paper_map(context: Context, version: MapRef) -> Steps[MapSummary]:
    """Make a version of the map, from wherever it stands. The version's row tells how it ended."""
    progress(context, "choosing papers")
    try:
        plan = yield from call(context, plan_map, version)
        if plan.ended:
            progress(context, "nothing is left to do")
            return MapSummary(version=version.version, ended_before=True)
        return (yield from _make(context, version, plan))
    except TerminalError as error:
        yield from call(context, end_map, EndMap(version=version.version, error=str(error)[:1000]))
        raise


@orchestration
def paper_map_additions(context: Context, version: MapRef) -> Steps[Placed]:
    """Place the papers that came since the version was drawn, one time box after the other; how many."""
    total = 0

    def show(box: Placed) -> None:
        nonlocal total
        total += box.papers
        progress(context, "placing", done=total, unit="papers")

    yield from repeat(context, place_new_papers, version, until=lambda box: box.done, show=show, boxes=MOST_BOXES)
    return Placed(papers=total)


def _make(context: Context, version: MapRef, plan: MapPlan) -> Steps[MapSummary]:
    progress(context, "finding neighbours", total=plan.sampled, unit="papers")
    yield from call(context, index_sample, version)
    shares = [
        NeighbourShare(version=version.version, first=first, count=min(SHARE_ROWS, plan.sampled - first))
        for first in range(0, plan.sampled, SHARE_ROWS)
    ]
    for outcome in (yield from fan_out(context, find_neighbours, shares)):
        outcome.result()
    yield from repeat(
        context,
        fit_map,
        FitBox(version=version.version, done=0),
        until=lambda fitted: fitted.done >= fitted.steps,
        following=lambda box, fitted: FitBox(version=box.version, done=fitted.done),
        show=lambda fitted: progress(context, "fitting", done=fitted.done, total=fitted.steps, unit="steps"),
        boxes=MOST_BOXES,
    )
    progress(context, "naming regions")
    yield from call(context, publish_map, version)
    yield from _place(context, version, plan.shares)
    progress(context, "drawing")
    drawn = yield from call(context, draw_map, version)
    yield from call(context, swap_map, version)
    yield from call(context, clear_maps, version)
    return MapSummary(version=version.version, papers=drawn.papers)


def _place(context: Context, version: MapRef, shares: int) -> Steps[None]:
    def show(done: int) -> None:
        progress(context, "placing", done=done, total=shares, unit="shares")

    show(0)
    tasks = [PlaceShare(version=version.version, share=share) for share in range(shares)]
    for outcome in (yield from fan_out(context, place_papers, tasks, on_done=show)):
        outcome.result()
