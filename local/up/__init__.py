"""Everything that the app needs on a laptop, started together, watched, and stopped together: `python -m local.up`."""

from local.up.environment import ROOT, settings
from local.up.lifecycle import Options, Stack, StartError, stack
from local.up.ports import Ports, PortsBusyError

__all__ = ["ROOT", "Options", "Ports", "PortsBusyError", "Stack", "StartError", "settings", "stack"]
