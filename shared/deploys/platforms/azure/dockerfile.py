"""The Dockerfile of a source that brings none, written by its recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from shared.deploys.base_images import IMAGES
from shared.deploys.models import DeploymentSpec
from shared.deploys.recipes import Recipe, Words, recipe
from shared.deploys.settings import settings

NAME: Final = "Dockerfile"
USER: Final = 10001
"""Apps run as nobody in particular."""


def complete(folder: Path, spec: DeploymentSpec) -> str:
    """Write the Dockerfile if the source has none; a line that says what was done. Blocks.

    Raises:
        TerminalError: it cannot be told how to build or to start the source (`unknown-kind`, `no-start-command`).
    """
    file = folder / NAME
    if file.is_file():
        ignored = " Its own Dockerfile is used, so the build command is not run." if spec.build_command else ""
        return f"Building the source's own Dockerfile.{ignored}"
    found = recipe(folder, spec.build_command, spec.start_command)
    start = found.start or ("python", "-m", "http.server", str(spec.port))
    file.write_text(_dockerfile(found, start, spec.port))
    return f"The source has no Dockerfile; building it on {_image(found)}, to be started by: {' '.join(start)}"


def _image(found: Recipe) -> str:
    registry = settings().base_image_registry
    return f"{registry}/{IMAGES[found.runtime]}" if registry else IMAGES[found.runtime]


def _dockerfile(found: Recipe, start: Words, port: int) -> str:
    lines = [
        f"FROM {_image(found)}",
        "ENV PIP_NO_CACHE_DIR=1",
        "WORKDIR /app",
        "COPY . .",
        *(f"RUN {json.dumps(list(step))}" for step in (*found.install, *found.build)),
        f"ENV PORT={port}",
        f"EXPOSE {port}",
        f"USER {USER}",
        f"CMD {json.dumps(list(start))}",
    ]
    return "\n".join(lines) + "\n"
