"""Make azd's environment in a workflow: every variable of GitHub's environment that a parameter of the templates reads.

GitHub gives them as one JSON object in VARIABLES. Needs nothing but Python.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PARAMETERS = Path(__file__).parents[1] / "bicep" / "main.parameters.json"


def described(parameters: str, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that parameters read and that somebody has set; azd knows those called AZURE_ by itself."""
    read: list[str] = re.findall(r"\$\{(\w+)", parameters)
    return {name: variables[name] for name in read if variables.get(name) and not name.startswith("AZURE_")}


def main() -> None:
    where = ["--subscription", os.environ["AZURE_SUBSCRIPTION_ID"], "--location", os.environ["AZURE_LOCATION"]]
    azd = ["azd", "env"]
    subprocess.run([*azd, "new", os.environ["AZURE_ENV_NAME"], *where, "--no-prompt"], check=True)  # noqa: S603 - azd itself
    for name, value in described(PARAMETERS.read_text(), json.loads(os.environ["VARIABLES"])).items():
        subprocess.run([*azd, "set", name, value], check=True)  # noqa: S603 - as above


if __name__ == "__main__":
    main()
