"""The images that sources are built on which bring no Dockerfile, by runtime and version, the usual one first."""

from __future__ import annotations

from typing import Final

IMAGES: Final = {
    "node": {version: f"node:{version}-slim" for version in ("22", "20", "24")},
    "python": {version: f"python:{version}-slim" for version in ("3.12", "3.10", "3.11", "3.13", "3.14")},
}
FOLDER: Final = "base"
"""Of their copies in a registry of one's own: Docker Hub limits those who do not sign in."""
