"""Run function apps in tests: in this process with a clock that the test moves, or as a process that can be killed.

    with InProcessHost(Path("my-app"), clock=ManualClock()) as app:
        instance = app.start_orchestration("approval", {"order": 7})
        app.advance(hours=24)
        assert app.wait_for(instance).output == "escalated"

One app with durable functions at a time in this process: the SDK's client keeps its connections in a global of its own.
Both take any app folder, listen on a free port, and keep their state where the test says. The process runs in the app's
folder; in this process the current folder stays as it is.
"""

from local.host.core.clock import ManualClock
from local.host.testing.client import Answer, Orchestration
from local.host.testing.in_process import InProcessHost
from local.host.testing.process import HostDidNotStart, HostProcess, Program

__all__ = ["Answer", "HostDidNotStart", "HostProcess", "InProcessHost", "ManualClock", "Orchestration", "Program"]
