"""The host as a process that starts in a fraction of a second, for tests that start or kill many."""

from collections.abc import Mapping

from local.forked import Forked
from local.host.testing import HostProcess, Program


class ForkedHost(HostProcess):
    """A host process that is a fork of one in which the host, the app and their libraries are loaded."""

    def _launch(self, arguments: list[str], environment: Mapping[str, str]) -> Program:
        return Forked("local.host", arguments, environment, errors_too=True)
