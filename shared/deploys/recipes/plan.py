"""What a platform finds beside a source: the server of a site's files, and the words that start the app."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from shared.deploys.recipes import PORT, Recipe, Words

FOLDER: Final = ".manifold"
SERVER: Final = "site.py"
_SERVERS: Final = ("UVICORN", "FLASK_RUN")


def start_of(recipe: Recipe, host: str) -> Words:
    """The words that start the app, or serve the site at that address; `$PORT` in them stands for the port."""
    return ("python", f"{FOLDER}/{SERVER}", recipe.site, PORT, host) if recipe.site is not None else recipe.start


def usual_environment(recipe: Recipe, host: str) -> dict[str, str]:
    """Variables by which servers of Python find the port where neither their command nor the app's variables say it.

    What a file of gunicorn's settings says does not count: an app may listen at PORT alone.
    """
    if recipe.runtime != "python" or recipe.site is not None:
        return {}
    named = {f"{server}_{part}": value for server in _SERVERS for part, value in (("HOST", host), ("PORT", PORT))}
    return {"GUNICORN_CMD_ARGS": f"--bind={host}:{PORT}", **named}


def add_server(root: Path, recipe: Recipe) -> None:
    """Put the server of a site's files beside them. Blocks."""
    folder = root / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    if recipe.site is not None:
        folder.mkdir()
        shutil.copyfile(Path(__file__).with_name(SERVER), folder / SERVER)


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What the owner of the app is told of how it is built and run.

    Attributes:
        log: lines for the log.
        runtime: what it is run by, as `Node 22`.
        notes: what the owner should know, as that the version that the source asks for is not there.
    """

    log: str
    runtime: str
    notes: tuple[str, ...] = ()

    def noting(self, note: str | None) -> PlanSummary:
        """With another note, which comes first."""
        return replace(self, log=f"{note}\n{self.log}", notes=(note, *self.notes)) if note else self


def summary_of(recipe: Recipe) -> PlanSummary:
    """The summary of the recipe."""
    start = f"a server of the files in {recipe.site}" if recipe.site is not None else " ".join(recipe.start)
    node, python = f"Node {recipe.node}", f"Python {recipe.python}"
    runtime = node if recipe.runtime == "node" else python
    text = "\n".join((f"A source for {runtime}, to be started by: {start}", *recipe.notes))
    if recipe.assets:
        runtime = f"a site built by {node}" if recipe.site is not None else f"{python}, assets built by {node}"
    elif recipe.site is not None:
        runtime = "a site"
    return PlanSummary(text, runtime, recipe.notes)
