"""A run of the feed and a supplier that does what a test wants."""

from tests.integration.shared.diamonds.conftest import diamonds, shop

__all__ = ["diamonds", "shop"]
