"""local.settings.json: what it adds to the environment, and the settings that switch functions off."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from local.host.core.errors import ConfigurationError
from local.host.core.newtonsoft import read_json


@dataclass(frozen=True)
class LocalSettings:
    """local.settings.json: what it adds to the environment, and its Host section."""

    applied: Mapping[str, str] = field(default_factory=dict[str, str])
    skipped: tuple[str, ...] = ()
    host: Mapping[str, Any] = field(default_factory=dict[str, Any])


def read_local_settings(app: Path, environment: Mapping[str, str]) -> LocalSettings:
    """What local.settings.json adds; the environment wins. Raises ConfigurationError."""
    path = app / "local.settings.json"
    if not path.exists():
        return LocalSettings()
    try:
        document = read_json(path)
    except (OSError, ValueError) as error:
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
