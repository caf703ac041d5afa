"""The host as a process that starts in a fraction of a second, for tests that start or kill many."""

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from local.forked import Forked
from local.host.testing import HostProcess, Program


class KilledHost(HostProcess):
    """A host process that is killed while it has work, and that says what it had."""

    def restart_by_kill(self) -> list[str]:
        """Kill it and start it again; the names of the orchestrations that the kill found unfinished."""
        self.kill()
        struck = self.unfinished()
        self.start()
        return struck

    def unfinished(self) -> list[str]:
        """While no host runs: the names of the orchestrations that its task hub holds unfinished."""
        with TemporaryDirectory() as copy:  # who closes the file itself changes what the next host finds
            for file in self.data.glob("*.db*"):
                shutil.copy(file, copy)
            [hub] = Path(copy).glob("*.db")
            with closing(sqlite3.connect(hub)) as database:
                running = "select name from instances where status in ('Running', 'Pending') and id not like '@%'"
                return [name for (name,) in database.execute(running)]


class ForkedHost(KilledHost):
    """A host process that is a fork of one in which the host, the app and their libraries are loaded."""

    def _launch(self, arguments: list[str], environment: Mapping[str, str]) -> Program:
        return Forked("local.host", arguments, environment, errors_too=True)
