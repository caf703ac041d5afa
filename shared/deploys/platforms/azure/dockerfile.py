"""The Dockerfile of a source that brings none, written by its recipe."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

from shared.deploys.base_images import IMAGES
from shared.deploys.models import DeploymentSpec
from shared.deploys.recipes import PORT, Recipe, recipe_of
from shared.deploys.recipes.files import rewrite_wide
from shared.deploys.recipes.plan import FOLDER, PlanSummary, add_server, start_of, summary_of, usual_environment
from shared.deploys.recipes.root import DOCKERFILE
from shared.deploys.recipes.servers import ALL_ADDRESSES
from shared.deploys.settings import settings

USER: Final = 10001
"""Apps run as nobody in particular."""
_WHERE: Final = "/app"


def complete(root: Path, spec: DeploymentSpec) -> PlanSummary:
    """Write the Dockerfile if the source has none; what its owner is told of that. Blocks.

    Raises:
        TerminalError: it cannot be told how to build or to start the source (`unknown-kind`, `no-start-command`).
    """
    file = root / DOCKERFILE
    if file.is_file():
        ignored = " Its own Dockerfile is used, so the build command is not run." if spec.build_command else ""
        return PlanSummary(f"Building the source's own Dockerfile.{ignored}", "its own Dockerfile")
    rewrite_wide(root)
    recipe = recipe_of(root, spec.build_command, spec.start_command)
    add_server(root, recipe)
    file.write_text("\n".join([*_stages(recipe, spec.plain_variables), *_end(recipe, spec.port)]) + "\n")
    summary = summary_of(recipe)
    image = _image(recipe.runtime, recipe)
    return replace(summary, log=f"The source has no Dockerfile; building it on {image}. {summary.log}")


def _image(runtime: str, recipe: Recipe) -> str:
    registry = settings().base_image_registry
    image = IMAGES[runtime][recipe.node if runtime == "node" else recipe.python]
    return f"{registry}/{image}" if registry else image


def _stages(recipe: Recipe, variables: tuple[str, ...]) -> list[str]:
    """From an image to what is installed and built. Variables that are no secrets are there meanwhile."""
    arguments = [f"ARG {name}" for name in variables]
    source = ["COPY . ."]
    assets: list[str] = []
    if recipe.assets:
        assets = [
            f"FROM {_image('node', recipe)} AS assets",
            f"WORKDIR {_WHERE}",
            "COPY . .",
            *arguments,
            *_runs(recipe.assets),
        ]
        kept = [FOLDER, recipe.site] if recipe.site not in (None, ".") else ["."]
        source = [f"COPY --from=assets {_WHERE}/{folder} {_WHERE}/{folder}" for folder in kept]
    image = f"FROM {_image(recipe.runtime, recipe)}"
    return [
        *assets,
        image,
        "ENV PIP_NO_CACHE_DIR=1",
        f"ENV PATH={_WHERE}/node_modules/.bin:$PATH",  # programs that come with an app's packages
        f"WORKDIR {_WHERE}",
        *source,
        *arguments,
        *_runs((*recipe.install, *recipe.build)),
    ]


def _runs(steps: tuple[tuple[str, ...], ...]) -> list[str]:
    return [f"RUN {json.dumps(list(step))}" for step in steps]


def _end(recipe: Recipe, port: int) -> list[str]:
    start = [word.replace(PORT, str(port)) for word in start_of(recipe, ALL_ADDRESSES)]
    usual = [
        f"ENV {name}={value.replace(PORT, str(port))}"
        for name, value in usual_environment(recipe, ALL_ADDRESSES).items()
    ]
    return [f"ENV PORT={port}", *usual, f"EXPOSE {port}", f"USER {USER}", f"CMD {json.dumps(start)}"]
