"""The keys of a function app: made once, kept in the data folder, compared in constant time."""

import hmac
import json
import os
import secrets
from pathlib import Path
from typing import Any, cast

MASTER = "_master"


class KeyStore:
    """The master key, the host key, one key for each function, and the system keys of extensions."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keys = self._load()
        if "master" not in self._keys:
            self._keys = {"master": _new_key(), "host": {"default": _new_key()}, "functions": {}, "system": {}}
            self._save()

    @property
    def master(self) -> str:
        """The key that opens everything."""
        return cast("str", self._keys["master"])

    def host_keys(self) -> dict[str, str]:
        """The keys that open every function."""
        return dict(self._group("host"))

    def function_keys(self, function: str) -> dict[str, str]:
        """The keys that open one function; a default one is made at the first call."""
        functions = self._group("functions")
        if function.lower() not in functions:
            functions[function.lower()] = {"default": _new_key()}
            self._save()
        return dict(functions[function.lower()])

    def system_key(self, name: str) -> str:
        """The key of an extension's webhook, such as `durabletask_extension`; made at the first call."""
        system = self._group("system")
        if name not in system:
            system[name] = _new_key()
            self._save()
        return cast("str", system[name])

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
        return cast("dict[str, Any]", self._keys.setdefault(name, {}))

    def _load(self) -> dict[str, Any]:
        try:
            return cast("dict[str, Any]", json.loads(self.path.read_text()))
        except FileNotFoundError:
            return {}

    def _save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._keys, file, indent=2)
        draft.replace(self.path)


def _any_equal(key: str, known: list[str]) -> bool:
    offered = key.encode()
    # Every one is compared, so that the time tells nothing of which one fitted.
    return sum([hmac.compare_digest(offered, one.encode()) for one in known]) > 0


def _new_key() -> str:
    return secrets.token_urlsafe(40)
