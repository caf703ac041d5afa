"""What configures an app: host.json, local.settings.json and the environment, read the way the Functions host does."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from local.host.expressions import ExpressionError, resolve_settings
from local.host.functions import RetryPolicy

# Newtonsoft, which reads these files in Azure, takes comments and trailing commas.
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)
_OVERRIDE_PREFIX = "AzureFunctionsJobHost__"


class ConfigurationError(Exception):
    """The app cannot start as it is configured; the message is one line that names what and the remedy."""


@dataclass(frozen=True)
class LocalSettings:
    """local.settings.json: what it adds to the environment, and its Host section."""

    applied: Mapping[str, str] = field(default_factory=dict[str, str])
    skipped: tuple[str, ...] = ()
    host: Mapping[str, Any] = field(default_factory=dict[str, Any])


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


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object with comments and trailing commas allowed. Raises ValueError when it is anything else."""
    text = path.read_text(encoding="utf-8-sig")
    text = _COMMENT.sub(lambda match: match.group(1) or "", text)
    text = _TRAILING_COMMA.sub(lambda match: match.group(1) or "", text)
    parsed = json.loads(text)
    if not isinstance(parsed, dict):
        raise ValueError("the file does not hold a JSON object")  # noqa: TRY004 - one error type for callers
    return cast("dict[str, Any]", parsed)


def read_host_json(app: Path, environment: Mapping[str, str]) -> HostJson:
    """host.json of the app; the defaults when it is missing or empty. Raises ConfigurationError."""
    path = app / "host.json"
    if not path.exists() or not path.read_text(encoding="utf-8-sig").strip():
        document: dict[str, Any] = {"version": "2.0"}
    else:
        try:
            document = read_json(path)
        except ValueError as error:
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
        if key.lower().startswith(_OVERRIDE_PREFIX.lower()):
            _override(document, key[len(_OVERRIDE_PREFIX) :].split("__"), value)
    return HostJson(document)


def read_local_settings(app: Path, environment: Mapping[str, str]) -> LocalSettings:
    """What local.settings.json adds; the environment wins. Raises ConfigurationError."""
    path = app / "local.settings.json"
    if not path.exists():
        return LocalSettings()
    try:
        document = read_json(path)
    except ValueError as error:
        raise ConfigurationError(f"Unable to parse local settings file '{path}'. {error}") from error
    if str(document.get("IsEncrypted", True)).lower() == "true":
        raise ConfigurationError(
            "Failed to decrypt settings. Encrypted settings only be edited through 'func settings add'. "
            'This host reads plain settings only: put "IsEncrypted": false into local.settings.json.'
        )
    wanted = {str(key): _text(value) for key, value in _object(document, "Values").items()}
    for key, value in _object(document, "ConnectionStrings").items():
        text = _object({"x": value}, "x").get("ConnectionString", value) if isinstance(value, dict) else value
        wanted[f"ConnectionStrings:{key}"] = _text(text)
    return LocalSettings(
        applied={key: value for key, value in wanted.items() if key not in environment},
        skipped=tuple(key for key in wanted if key in environment),
        host=_object(document, "Host"),
    )


def parse_timespan(text: str) -> float | None:
    """Seconds of a .NET TimeSpan `[d.]hh:mm[:ss[.fraction]]` or a number of days; None when it is neither.

    Days may also be divided by a colon, but only from all of `hh:mm:ss`.
    """
    days_part = r"(?:(\d+)(?:\.|:(?=\d+:\d+:)))?"
    match = re.fullmatch(days_part + r"(\d{1,2}):(\d{1,2})(?::(\d{1,2}(?:\.\d{1,7})?))?", text.strip())
    if match is None:
        return float(text) * 86400 if re.fullmatch(r"\d+", text.strip()) else None
    days, hours, minutes, seconds = match.groups()
    if int(hours) > 23 or int(minutes) > 59 or float(seconds or 0) >= 60:  # noqa: PLR2004 - hours and minutes
        return None
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds or 0)


def parse_retry(fields: Mapping[str, Any]) -> RetryPolicy:
    """A retry policy of the decorator or host.json, keys in lower case. Raises ConfigurationError."""

    def field(name: str) -> Any:
        return fields.get(name, fields.get(name.replace("_", "")))

    def seconds(name: str) -> float:
        parsed = parse_timespan(str(field(name)))
        if parsed is None:
            raise ConfigurationError(
                f"Retry policy: {name} must be a time such as 00:00:05, not {field(name)!r}, for the strategy "
                f"{strategy!r}. (A decorator takes fixed_delay; anything else is exponential_backoff.)"
            )
        return parsed

    try:
        retries = int(field("max_retry_count") or 0)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"Retry policy: max_retry_count must be a whole number, not {field('max_retry_count')!r}."
        ) from None
    strategy = str(fields.get("strategy", ""))
    fixed = "fixed_delay" if "max_retry_count" in fields else "fixeddelay"
    if strategy.lower() == fixed:
        return RetryPolicy(retries, fixed_delay=seconds("delay_interval"))
    return RetryPolicy(retries, minimum_delay=seconds("minimum_interval"), maximum_delay=seconds("maximum_interval"))


def disabled(function: str, environment: Mapping[str, str]) -> bool:
    """Whether `AzureWebJobs.<function>.Disabled` (or its spelling with `_`) is set to true or 1."""
    names = {f"azurewebjobs.{function}.disabled".lower(), f"azurewebjobs_{function}_disabled".lower()}
    return any(key.lower() in names and value.lower() in {"1", "true"} for key, value in environment.items())


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


def _object(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)
