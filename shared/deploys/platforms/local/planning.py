"""What the supervisor has to run for a source, written down beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from shared.deploys.models import DeploymentSpec
from shared.deploys.recipes import Versions, recipe
from shared.deploys.recipes.files import rewrite_wide
from shared.deploys.recipes.plan import FOLDER, Planned, add_server, planned, start_of, usual_environment

_LOOPBACK = "127.0.0.1"


def write_plan(root: Path, spec: DeploymentSpec, there: Versions) -> Planned:
    """Write down for the supervisor what it has to run; what its owner is told of that. Blocks.

    Python's packages go into an environment beside the app, since no image of its own holds them.
    """
    rewrite_wide(root)
    found = recipe(root, spec.build_command, spec.start_command, there)
    add_server(root, found)
    needs_own = found.install or (found.python != there.python[0] and found.site is None)
    own = ((f"python{found.python}", "-m", "venv", ".venv"),) if found.runtime == "python" and needs_own else ()
    plan = {
        "build": [*found.assets, *own, *found.install, *found.build],
        "start": start_of(found, _LOOPBACK),
        "environment": usual_environment(found, _LOOPBACK),
    }
    (root / FOLDER).mkdir(exist_ok=True)
    (root / FOLDER / "plan.json").write_text(json.dumps(plan))
    ignored = "\nIts Dockerfile is not used: images are built in Azure only." if (root / "Dockerfile").exists() else ""
    told = planned(found)
    return replace(told, log=f"{told.log}{ignored}")
