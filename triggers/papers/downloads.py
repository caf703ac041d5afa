"""Answers that are files: their media types for the OpenAPI document, and their headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def media_types(by_format: Mapping[str, str]) -> str:
    """The media types of a route that answers in several formats, without their parameters."""
    return ", ".join(media_type.split(";")[0] for media_type in by_format.values())


def attachment(name: str, file_format: str) -> dict[str, str]:
    """The header by which browsers save an answer as a file of this name, with the ending of its format."""
    ending = "bib" if file_format == "bibtex" else file_format
    return {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
