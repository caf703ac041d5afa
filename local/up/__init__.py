"""Everything that the app needs on a laptop, started together, watched, and stopped together: `python -m local.up`."""

from local.up.ports import Ports, PortsBusyError
from local.up.settings import settings
from local.up.stack import Options, Stack, StartError, stack

__all__ = ["Options", "Ports", "PortsBusyError", "Stack", "StartError", "settings", "stack"]
