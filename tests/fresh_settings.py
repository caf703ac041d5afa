"""Settings of a changed environment."""

from shared.platform.settings import read_group


def forget_settings() -> None:
    """Have every group of settings read anew."""
    read_group.cache_clear()
