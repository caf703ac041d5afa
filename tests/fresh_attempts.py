"""Callers who have presented nothing wrong yet."""

from shared.platform.access.failed_attempts import failed_attempts


def forget_attempts() -> None:
    """Have every address and account begin anew."""
    for budget in (failed_attempts._addresses, failed_attempts._accounts):
        budget.full_at.clear()
