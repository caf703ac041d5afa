"""host.json: read as the Functions host does, its options by path, and what of it nothing here reads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from local.host.core.errors import ConfigurationError
from local.host.core.functions import RetryPolicy
from local.host.core.newtonsoft import read_json
from local.host.settings.expressions import ExpressionError, resolve_settings
from local.host.settings.values import parse_retry, parse_timespan

# Divided by two underscores or a colon, as .NET reads settings.
_OVERRIDE = re.compile(r"AzureFunctionsJobHost(?:__|:)(.+)", re.IGNORECASE)
# Read here, or without effect on one machine in Azure's host, too (telemetry, scaling, downloads of extensions).
_KNOWN = {
    "version", "functiontimeout", "functions", "retry", "extensions", "extensionbundle", "logging", "aggregator",
    "telemetrymode", "healthmonitor", "singleton", "manageddependency", "concurrency", "watchdirectories", "watchfiles",
}  # fmt: skip
_KNOWN_OF_EXTENSION = {
    "http": {"routeprefix", "customheaders", "maxconcurrentrequests", "maxoutstandingrequests",
             "dynamicthrottlesenabled", "hsts"},
    "queues": {"batchsize", "newbatchthreshold", "maxdequeuecount", "visibilitytimeout", "maxpollinginterval",
               "messageencoding"},
    "servicebus": {"prefetchcount", "autocompletemessages", "maxconcurrentcalls", "maxautolockrenewalduration",
                   "maxmessagebatchsize"},
    "blobs": {"poisonblobthreshold", "maxdegreeofparallelism"},
}  # fmt: skip
# Checked by the module that reads it.
_ELSEWHERE = "durabletask"


@dataclass(frozen=True)
class HostJson:
    """host.json with the environment's overrides applied."""

    document: Mapping[str, Any]

    def section(self, path: str) -> Mapping[str, Any]:
        """The object at a dotted path, keys compared without case; empty when absent."""
        value = self.value(path)
        return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}

    def value(self, path: str) -> Any:
        """The value at a dotted path, keys compared without case; None when absent."""
        current: Any = self.document
        for part in path.split("."):
            if not isinstance(current, Mapping):
                return None
            members = cast("Mapping[str, Any]", current)
            current = next((value for key, value in members.items() if key.lower() == part.lower()), None)
        return current

    def number(self, path: str, default: int, *, minimum: int, maximum: int | None = None) -> int:
        """An integer setting. Raises ConfigurationError with its path and range when it is something else."""
        value = self.value(path)
        if value is None:
            return default
        try:
            number = int(value)
        except (TypeError, ValueError):
            number = minimum - 1
        if number < minimum or (maximum is not None and number > maximum):
            limits = f"from {minimum} to {maximum}" if maximum is not None else f"of at least {minimum}"
            raise ConfigurationError(f"host.json: {path} must be a whole number {limits}, not {value!r}.")
        return number

    def names(self, path: str) -> tuple[str, ...]:
        """A list of names; empty when absent. Raises ConfigurationError when it is something else."""
        value: Any = self.value(path)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise ConfigurationError(f"host.json: {path} must be a list of names, not {value!r}.")
        return tuple(str(one) for one in cast("list[Any]", value))

    def flag(self, path: str, default: bool) -> bool:
        """A true or false setting, also as text."""
        value = self.value(path)
        return default if value is None else str(value).lower() == "true"

    def seconds(self, path: str, default: float) -> float:
        """A `[d.]hh:mm:ss` setting in seconds. Raises ConfigurationError with its path when it is something else."""
        value = self.value(path)
        if value is None:
            return default
        parsed = parse_timespan(str(value))
        if parsed is None:
            raise ConfigurationError(f"host.json: {path} must be a time such as 00:05:00, not {value!r}.")
        return parsed

    def function_timeout(self) -> float | None:
        """Seconds that one run may take; None for no limit. Azure's default outside Consumption is 30 minutes."""
        value = self.value("functionTimeout")
        if value is None:
            return 1800.0
        if str(value) == "-1":
            return None
        seconds = parse_timespan(str(value))
        if seconds is None or seconds < 1:
            raise ConfigurationError(
                "FunctionTimeout must be greater than 00:00:01 and less than 10675199.02:48:05.4775807 "
                f"(host.json says {value!r})."
            )
        return seconds

    def retry(self) -> RetryPolicy | None:
        """The retry policy for all functions, if there is one."""
        section = self.section("retry")
        if not section:
            return None
        return parse_retry({key.lower(): value for key, value in section.items()})


def read_host_json(app: Path, environment: Mapping[str, str]) -> HostJson:
    """host.json of the app; the defaults when it is missing or empty. Raises ConfigurationError."""
    path = app / "host.json"
    document: dict[str, Any] = {"version": "2.0"}
    try:
        if path.exists() and path.read_text(encoding="utf-8-sig").strip():
            document = read_json(path)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"Unable to parse host configuration file '{path}'. {error}") from error
    version = document.get("version")
    if not version:
        raise ConfigurationError(
            "The host.json file is missing the required 'version' property. "
            "See https://aka.ms/functions-hostjson for steps to migrate the configuration file."
        )
    if version != "2.0":
        raise ConfigurationError(
            f"'{version}' is an invalid value for host.json 'version' property. "
            'It must be "2.0". See https://aka.ms/functions-hostjson.'
        )
    for key, value in environment.items():
        if override := _OVERRIDE.fullmatch(key):
            _override(document, re.split("__|:", override[1]), value)
    return HostJson(document)


def unread_options(host_json: HostJson) -> list[str]:
    """The dotted paths of the options that nothing reads."""
    unread = [key for key in host_json.document if key.lower() not in _KNOWN]
    for name in host_json.section("extensions"):
        if name.lower() != _ELSEWHERE:
            known = _KNOWN_OF_EXTENSION.get(name.lower(), set[str]())
            options = host_json.section(f"extensions.{name}")
            unread += [f"extensions.{name}.{one}" for one in options if one.lower() not in known]
    return unread


def resolve_section(section: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """A copy of a section with every `%SETTING%` in its text values replaced. Raises ConfigurationError."""
    try:
        return {
            key: resolve_settings(value, environment)
            if isinstance(value, str)
            else resolve_section(cast("dict[str, Any]", value), environment)
            if isinstance(value, dict)
            else value
            for key, value in section.items()
        }
    except ExpressionError as error:
        raise ConfigurationError(f"host.json: {error} Set it in local.settings.json or in the environment.") from error


def _override(document: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        key = next((key for key in document if key.lower() == part.lower()), part)
        if not isinstance(document.get(key), dict):
            document[key] = {}
        document = document[key]
    key = next((key for key in document if key.lower() == path[-1].lower()), path[-1])
    document[key] = value
