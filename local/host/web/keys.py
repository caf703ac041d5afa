"""The keys of a function app: made once, kept in the data folder, compared in constant time."""

import hmac
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from local.host.core.errors import ConfigurationError
from local.host.core.newtonsoft import shallow

MASTER = "_master"


class KeyStore:
    """The master key, the host key, one key for each function, and the system keys of extensions."""

    def __init__(self, path: Path) -> None:
        """Read the keys, or make them. Raises ConfigurationError if neither can be."""
        self.path = path
        kept = self._load()
        if kept is None:
            kept = {"master": _new_key(), "host": {"default": _new_key()}, "functions": {}, "system": {}}
            self._save(kept)
        self._keys = kept

    @property
    def master(self) -> str:
        """The key that opens everything."""
        return cast("str", self._keys["master"])

    def host_keys(self) -> dict[str, str]:
        """The keys that open every function."""
        return dict(self._group("host"))

    def function_keys(self, function: str) -> dict[str, str]:
        """The keys that open one function; a default one is made at the first call."""
        name = function.lower()
        if name not in self._group("functions"):
            self._add("functions", name, {"default": _new_key()})
        return dict(self._group("functions")[name])

    def system_key(self, name: str) -> str:
        """The key of an extension's webhook, such as `durabletask_extension`; made at the first call."""
        if name not in self._group("system"):
            self._add("system", name, _new_key())
        return cast("str", self._group("system")[name])

    def system_keys(self) -> dict[str, str]:
        """Every extension's key made so far."""
        return dict(self._group("system"))

    def opens_function(self, key: str, function: str) -> bool:
        """Whether the key is the function's, the host's or the master key."""
        return _any_equal(key, [*self.function_keys(function).values(), *self.host_keys().values(), self.master])

    def opens_admin(self, key: str) -> bool:
        """Whether the key is the master key."""
        return _any_equal(key, [self.master])

    def opens_extension(self, key: str, name: str) -> bool:
        """Whether the key is the extension's system key or the master key."""
        return _any_equal(key, [self.system_key(name), self.master])

    def _group(self, name: str) -> dict[str, Any]:
        return cast("dict[str, Any]", self._keys[name])

    def _add(self, group: str, name: str, value: Any) -> None:
        """The key is written before it is given to anybody."""
        keys = {**self._keys, group: {**self._group(group), name: value}}
        self._save(keys)
        self._keys = keys

    def _load(self) -> dict[str, Any] | None:
        try:
            kept: Any = shallow(self.path.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self._broken(str(error)) from error
        if not isinstance(kept, dict) or not isinstance(cast("dict[str, Any]", kept).get("master"), str):
            raise self._broken("it holds no master key")
        keys: dict[str, Any] = {"host": {}, "functions": {}, "system": {}, **cast("dict[str, Any]", kept)}
        texts = {**_object(keys["host"]), **_object(keys["system"])}
        for function in _object(keys["functions"]).values():
            texts |= _object(function)
        if not all(isinstance(one, str) and one for one in (keys["master"], *texts.values())):
            raise self._broken("its keys must be texts, none of them empty")
        return keys

    def _broken(self, why: str) -> ConfigurationError:
        return ConfigurationError(f"{self.path} cannot be read: {why}. Restore it, or delete it to have new keys made.")

    def _save(self, keys: Mapping[str, Any]) -> None:
        draft = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(keys, file, indent=2)
            draft.replace(self.path)
        except OSError as error:
            raise ConfigurationError(
                f"{self.path} cannot be written: {error.strerror}. Make room or rights there, or pass --data."
            ) from error


def _object(value: Any) -> dict[str, Any]:
    """The members of an object; what is none has one that is no text."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {"": None}


def _any_equal(key: str, known: list[str]) -> bool:
    offered = key.encode()
    # Every one is compared, so that the time tells nothing of which one fitted.
    return sum([hmac.compare_digest(offered, one.encode()) for one in known]) > 0


def _new_key() -> str:
    return secrets.token_urlsafe(40)
