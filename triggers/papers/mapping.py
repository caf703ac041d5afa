"""Routes that make maps and show which there are, and the sweep that goes on with them."""

from __future__ import annotations

from orchestrators.papers.mapping import paper_map, paper_map_additions
from shared.papers.maps import placing, versions
from shared.papers.maps.models import MapRef, MapVersion
from shared.platform.access.auth import Caller
from shared.platform.durable import DurableClient
from shared.platform.http import Accepted, Routes
from shared.platform.models import LazyModel
from shared.platform.sweeps import Sweep
from triggers.papers.callers import ENRICH, READ

routes = Routes(tag="papers")
VERSIONS = "/api/papers/map/versions"
ADDITIONS = "papers-map-additions"


class MapVersions(LazyModel):
    """The versions, the newest first."""

    versions: list[MapVersion]


class MapStarted(Accepted):
    """A version that is being made; `location` shows how far it is."""

    version: int


@routes.get(VERSIONS, needs=READ, summary="The versions of the map, and whether another is due")
async def papers_map_versions() -> MapVersions:
    return MapVersions(versions=await versions.every())


@routes.post(VERSIONS, needs=ENRICH, summary="Make a version of the map")
async def papers_map_start(caller: Caller, client: DurableClient) -> MapStarted:
    """It takes the place of the one that is seen when it is ready. One that is being made is gone on with."""
    version = await versions.accept(caller.name)
    instance = await _start(client, version)
    return MapStarted(id=instance, location=VERSIONS, version=version.version)


@routes.post("/api/papers/map/versions/roll-back", needs=ENRICH, summary="See the version of the map before again")
async def papers_map_roll_back() -> MapVersions:
    """At once; doing it again takes it back. Papers that came since get their places by the next minutes."""
    await versions.roll_back()
    return MapVersions(versions=await versions.every())


async def _due(_: DurableClient) -> bool:
    return await placing.anything_to_do()


async def _run(client: DurableClient) -> None:
    """Go on with a version that nobody works on, and place papers that came since."""
    for version in await versions.building():
        await _start(client, version)
    current = await placing.current_version()
    if current is not None and await placing.anything_unplaced():
        await client.start_if_idle(paper_map_additions, MapRef(version=current), instance_id=ADDITIONS)


sweep = Sweep("papers-map", due=_due, run=_run)


async def _start(client: DurableClient, version: MapRef) -> str:
    """Start the version, or let it run where it does; its instance."""
    instance = f"papers-map-{version.version}"
    await client.start_if_idle(paper_map, version, instance_id=instance)
    return instance
