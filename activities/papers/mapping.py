"""One side effect each of making a map; every one may be delivered twice and changes nothing the second time."""

from __future__ import annotations

from shared.papers.maps import files, fitting, outgrown, placing, publishing, sample, versions
from shared.papers.maps.models import EndMap, FitBox, Fitted, MapPlan, MapRef, NeighbourShare, Placed, PlaceShare
from shared.papers.maps.points import drawing
from shared.platform.durable import Nothing, activity


@activity
async def plan_map(version: MapRef) -> MapPlan:
    """Choose the papers that it is fitted to, and cut all of them into shares."""
    return await sample.plan(version.version)


@activity
async def index_sample(version: MapRef) -> Nothing:
    """Build the index that finds neighbours, where it is worth it."""
    await sample.index(version.version)
    return Nothing()


@activity
async def find_neighbours(share: NeighbourShare) -> Nothing:
    """Find the nearest papers of some of the sample."""
    await sample.find_neighbours(share)
    return Nothing()


@activity
async def fit_map(box: FitBox) -> Fitted:
    """Go on with the fit for one time box."""
    return await fitting.fit_box(box)


@activity
async def publish_map(version: MapRef) -> Nothing:
    """Name the regions, and write the model."""
    await publishing.publish(version.version)
    return Nothing()


@activity
async def place_papers(task: PlaceShare) -> Placed:
    """Place a share of the papers."""
    return await placing.place_share(task)


@activity
async def draw_map(version: MapRef) -> Placed:
    """Number the points, and write the files that are served."""
    return Placed(papers=await drawing.draw(version.version))


@activity
async def swap_map(version: MapRef) -> Nothing:
    """Let the version be seen."""
    await versions.swap(version.version)
    return Nothing()


@activity
async def clear_maps(version: MapRef) -> Nothing:
    """Delete what the version was made from, and the files of versions that are no longer kept."""
    await files.delete(version.version, f"{files.WORK}/")
    await _forget()
    return Nothing()


@activity
async def end_map(task: EndMap) -> Nothing:
    """Give a version up that cannot be made."""
    await versions.fail(task.version, task.error)
    await _forget()
    return Nothing()


@activity
async def place_new_papers(version: MapRef) -> Placed:
    """Place papers that came since, for one time box."""
    placed = await placing.place_new(version)
    if placed.done:
        await outgrown.check()
    return placed


async def _forget() -> None:
    """Delete the files of versions that are no longer kept."""
    for version in await versions.unkept():
        await files.delete(version)
        await versions.files_deleted(version)
