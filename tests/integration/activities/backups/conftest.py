"""A database with rows in it, as for the domain of backups."""

from tests.integration.shared.backups.conftest import filled, small_chunks

__all__ = ["filled", "small_chunks"]
