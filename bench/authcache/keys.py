"""Who the users are and whom they share with, the same in every run and process."""

from __future__ import annotations

import uuid

PASSWORD = "correct horse battery staple"


def user_id(number: int) -> str:
    """The id of a user, the same in every run."""
    return str(uuid.UUID(int=(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128)))


def email(number: int) -> str:
    """The address of a user."""
    return f"user{number}@example.com"


def viewers(number: int, users: int, each: int) -> list[int]:
    """Whom a user shares with."""
    return [(number * 7 + 13 * step + 1) % users for step in range(each)]


def percentile(figures: list[float], share: float) -> float:
    """The figure below which that share lies."""
    return sorted(figures)[min(len(figures) - 1, int(len(figures) * share))]
