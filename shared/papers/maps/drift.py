"""Whether the papers have outgrown their map. A pure rule."""

from __future__ import annotations

from dataclasses import dataclass

FAR_THEN = 0.05
"""Share of the sample's papers that count as far when a map is fitted."""
FAR = 0.15
GROWN = 0.25
ENOUGH = 100
"""Additions, before what they have in common means anything."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What drift is told from.

    Attributes:
        papers: on the map when it was published.
        additions: papers that came since.
        far: of them, those whose nearest papers are farther off than those of nearly all when it was fitted.
        model: whose vectors it was fitted to.
        searched: the model that is searched now; None: there is none.
    """

    papers: int
    additions: int
    far: int
    model: str
    searched: str | None


def reasons(figures: Figures) -> list[str]:
    """Why another fit is due; empty: it is not."""
    because: list[str] = []
    if figures.searched is not None and figures.searched != figures.model:
        because.append(f"the papers' vectors are of {figures.searched} now, and the map's of {figures.model}")
    if figures.additions >= max(ENOUGH, GROWN * figures.papers):
        share = figures.additions / max(figures.papers, 1)
        because.append(f"{figures.additions:,} papers came since, {share:.0%} of those that it was made of")
    if figures.additions >= ENOUGH and figures.far > FAR * figures.additions:
        because.append(
            f"{figures.far / figures.additions:.0%} of the papers that came since lie far from what it was fitted to;"
            f" {FAR_THEN:.0%} did then"
        )
    return because
