"""Run function apps in tests: in this process with a clock that the test moves, or as a process that can be killed."""

from local.host.testing.client import Answer, Orchestration
from local.host.testing.in_process import HostDidNotStart, HostProcess, InProcessHost

__all__ = ["Answer", "HostDidNotStart", "HostProcess", "InProcessHost", "Orchestration"]
