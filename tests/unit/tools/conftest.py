"""The Bicep modules, which the tools check and plan."""

from tests.unit.infra.conftest import modules, root

__all__ = ["modules", "root"]
