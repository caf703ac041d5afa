"""What of a paper is turned into a vector."""

from __future__ import annotations


def embedding_text(title: str, abstract: str | None) -> str:
    """The text that stands for a paper, as the predecessor had it."""
    return f"Title: {title} Abstract: {abstract}" if abstract else f"Title: {title}"
