"""The images that sources are built on which bring no Dockerfile, by the runtime that they need."""

from __future__ import annotations

from typing import Final

IMAGES: Final = {"node": "node:22-slim", "python": "python:3.12-slim"}
FOLDER: Final = "base"
"""Of their copies in a registry of one's own: Docker Hub limits those who do not sign in."""
