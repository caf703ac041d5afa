"""What an app's settings say: local.settings.json, the environment, times and retry policies, read as in Azure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from local.host.core.functions import RetryPolicy
from local.host.core.logs import warn_once

# Newtonsoft, which reads these files in Azure, takes comments and trailing commas.
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_LAST_HOUR = 23
_TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)


class ConfigurationError(Exception):
    """The app cannot start as it is configured; the message is one line that names what and the remedy."""


@dataclass(frozen=True)
class LocalSettings:
    """local.settings.json: what it adds to the environment, and its Host section."""

    applied: Mapping[str, str] = field(default_factory=dict[str, str])
    skipped: tuple[str, ...] = ()
    host: Mapping[str, Any] = field(default_factory=dict[str, Any])


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object with comments and trailing commas allowed. Raises ValueError when it is anything else."""
    text = path.read_text(encoding="utf-8-sig")
    text = _COMMENT.sub(lambda match: match.group(1) or "", text)
    text = _TRAILING_COMMA.sub(lambda match: match.group(1) or "", text)
    parsed = json.loads(text)
    if not isinstance(parsed, dict):
        raise ValueError("the file does not hold a JSON object")  # noqa: TRY004 - one error type for callers
    return cast("dict[str, Any]", parsed)


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

    Days may also be divided by a colon, but only from all of `hh:mm:ss`; `25:00:00` is 25 days then, with a warning.
    """
    days_part = r"(?:(\d+)(?:\.|:(?=\d+:\d+:)))?"
    match = re.fullmatch(days_part + r"(\d{1,8}):(\d{1,2})(?::(\d{1,2}(?:\.\d{1,7})?))?", text.strip())
    if match is None:
        return float(text) * 86400 if re.fullmatch(r"\d+", text.strip()) else None
    days, hours, minutes, seconds = match.groups()
    if days is None and int(hours) > _LAST_HOUR and re.fullmatch(r"\d+", seconds or ""):
        warn_once(
            "The time '%s' is %s days, %s hours and %s minutes, as .NET reads it. "
            "Were %s hours meant, write %d.%02d:%s:%s.",
            *(text.strip(), hours, minutes, seconds, hours),
            *(*divmod(int(hours), 24), minutes, seconds),
        )
        days, hours, minutes, seconds = hours, minutes, seconds, None
    if int(hours) > _LAST_HOUR or int(minutes) > 59 or float(seconds or 0) >= 60:  # noqa: PLR2004 - minutes
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


def _object(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)
