"""Diamonds on offer, as the tests of pricing have them."""

from tests.integration.shared.diamonds.pricing.conftest import offers

__all__ = ["offers"]
