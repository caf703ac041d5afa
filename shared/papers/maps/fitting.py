"""The fit, in boxes of seconds: each leaves its positions behind, from which the next one goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.papers.maps import files, sample
from shared.papers.maps.models import FitBox, Fitted
from shared.papers.settings import settings
from shared.platform.errors import TerminalError
from shared.platform.stores.postgres import database, rows


async def fit_box(box: FitBox) -> Fitted:
    """Go on with the fit for about PAPERS_MAP_FIT_SECONDS; call again with `done` until it is `steps`.

    Raises:
        TerminalError: PAPERS_MAP_FITTER wants t-SNE, and openTSNE is not installed.
    """
    fit = await _fit_of(box.version)
    if not box.done:
        await files.write(box.version, _file(0), files.packed(**await _start(box.version, fit)))
    if box.done >= fit.steps:
        return Fitted(done=fit.steps, steps=fit.steps)
    import asyncio  # noqa: PLC0415 - beside the library that needs it

    from shared.papers.maps.layout import tsne  # noqa: PLC0415 - loads in the activity that needs it

    positions, done = await asyncio.to_thread(
        tsne.improve,
        (await _read(box.version, box.done))["positions"],
        await sample.neighbours(box.version, fit.sampled),
        box.done,
        before=(await _read(box.version, 0))["before"] if fit.begun_before else None,
        seconds=settings().papers_map_fit_seconds,
    )
    await files.write(box.version, _file(done), files.packed(positions=positions))
    return Fitted(done=done, steps=fit.steps)


async def fitted(version: int) -> Any:
    """The positions of the sample at the end of the fit."""
    return (await _read(version, (await _fit_of(version)).steps))["positions"]


@dataclass(frozen=True, slots=True)
class _Fit:
    """How a version is fitted, which stays for all its boxes.

    Attributes:
        sampled: papers of the sample.
        scale: what positions of the fit before were multiplied with to become those of its map; None: it begins anew,
            since the map before is of another fitter, or none of its papers is in the sample.
    """

    sampled: int
    fitter: str
    scale: float | None

    @property
    def begun_before(self) -> bool:
        """Whether it begins at the map before, which the same fitter has laid out."""
        return self.scale is not None

    @property
    def steps(self) -> int:
        from shared.papers.maps.layout import tsne  # noqa: PLC0415 - loads in the activity that needs it

        return tsne.steps(begun_before=self.begun_before) if self.fitter == "tsne" else 0


async def _fit_of(version: int) -> _Fit:
    async with database() as connection:
        [row] = await rows(
            connection,
            "select m.sampled, m.fitter, b.fitter as fitter_before, b.scale,"  # noqa: S608 - a number
            f" exists (select from papers.map_sample_{version:d} where x is not null) as common from papers.maps m"
            " left join papers.maps b on b.version = m.starts_at where m.version = %s for no key update of m",
            (version,),
        )
        fitter = row["fitter"] or _fitter(row["sampled"])
        if row["fitter"] is None:
            await connection.execute("update papers.maps set fitter = %s where version = %s", (fitter, version))
    return _Fit(row["sampled"], fitter, row["scale"] if row["fitter_before"] == fitter and row["common"] else None)


def _fitter(sampled: int) -> str:
    from shared.papers.maps.layout import tsne  # noqa: PLC0415 - as above

    configured = settings().papers_map_fitter
    if configured == "tsne" and not tsne.installed():
        raise TerminalError(
            "Maps are to be fitted by t-SNE, and openTSNE is not installed.",
            code="fitter-missing",
            remedy="Install requirements-fitting.txt, or set PAPERS_MAP_FITTER to pca.",
        )
    return "tsne" if configured != "pca" and tsne.installed() and sampled >= tsne.LEAST else "pca"


async def _start(version: int, fit: _Fit) -> dict[str, Any]:
    """Where the fit begins, and where the map before has the papers, in the fit's own scale."""
    from shared.papers.maps.layout import placing, starting  # noqa: PLC0415 - as above

    _, vectors, places_before = await sample.read_sample(version)
    if fit.scale is None:
        return {"positions": starting.principal(placing.unit(vectors))}
    near, _ = await sample.neighbours(version, fit.sampled)
    before = places_before / fit.scale
    return {"positions": starting.continued(before, near), "before": before}


async def _read(version: int, done: int) -> dict[str, Any]:
    return files.unpacked(await files.read(version, _file(done)))


def _file(done: int) -> str:
    return f"{files.WORK}/fit-{done:05}.npz"
