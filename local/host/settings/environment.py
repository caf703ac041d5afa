"""The app's settings in this process's environment, where functions look for them; taken out again at the end."""

import os

from local.host.core.logs import host_log
from local.host.settings.local_settings import LocalSettings, read_local_settings
from local.host.settings.options import HostOptions

_STAGE = "AZURE_FUNCTIONS_ENVIRONMENT"
_DEVELOPMENT = "Development"


class Environment:
    """What one host sets in `os.environ`, and what stood there before."""

    def __init__(self) -> None:
        self._before: dict[str, str | None] = {}

    def apply(self, options: HostOptions) -> LocalSettings:
        """Set the options' variables, then those of local.settings.json. Raises ConfigurationError."""
        for name, value in options.environment.items():
            self.set(name, value)
        settings = read_local_settings(options.app, os.environ)
        for name in settings.skipped:
            host_log.info(
                "Skipping '%s' from local settings as it's already defined in current environment variables.", name
            )
        given = os.environ.get(_STAGE)
        for name, value in settings.applied.items():
            self.set(name, value)
        self.set("AzureWebJobsScriptRoot", str(options.app))
        self.set("FUNCTIONS_APPLICATION_DIRECTORY", str(options.app))
        if given is None:
            if (own := settings.applied.get(_STAGE, _DEVELOPMENT)) != _DEVELOPMENT:
                host_log.warning("%s is '%s' in local settings, and Development here, as with Core Tools.", _STAGE, own)
            self.set(_STAGE, _DEVELOPMENT)
        return settings

    def set(self, name: str, value: str) -> None:
        """Set one variable until `restore`."""
        self._before.setdefault(name, os.environ.get(name))
        os.environ[name] = value

    def restore(self) -> None:
        """Put everything back as it was before."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before.clear()
