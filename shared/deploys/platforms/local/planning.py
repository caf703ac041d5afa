"""What the supervisor has to run for a source, written down beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from shared.deploys.models import DeploymentSpec
from shared.deploys.recipes import Versions, recipe_of
from shared.deploys.recipes.files import rewrite_wide
from shared.deploys.recipes.plan import FOLDER, PlanSummary, add_server, start_of, summary_of, usual_environment
from shared.deploys.recipes.root import DOCKERFILE

_LOOPBACK = "127.0.0.1"


def write_plan(root: Path, spec: DeploymentSpec, available: Versions) -> PlanSummary:
    """Write down for the supervisor what it has to run; what its owner is told of that. Blocks.

    Python's packages go into an environment beside the app, since no image of its own holds them.
    """
    rewrite_wide(root)
    recipe = recipe_of(root, spec.build_command, spec.start_command, available)
    add_server(root, recipe)
    needs_own = recipe.install or (recipe.python != available.python[0] and recipe.site is None)
    own = ((f"python{recipe.python}", "-m", "venv", ".venv"),) if recipe.runtime == "python" and needs_own else ()
    plan = {
        "build": [*recipe.assets, *own, *recipe.install, *recipe.build],
        "start": start_of(recipe, _LOOPBACK),
        "environment": usual_environment(recipe, _LOOPBACK),
    }
    (root / FOLDER).mkdir(exist_ok=True)
    (root / FOLDER / "plan.json").write_text(json.dumps(plan))
    ignored = "\nIts Dockerfile is not used: images are built in Azure only." if (root / DOCKERFILE).exists() else ""
    summary = summary_of(recipe)
    return replace(summary, log=f"{summary.log}{ignored}")
