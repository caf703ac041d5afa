"""Hides what looks like a secret in text that operators are shown: by the name it goes under."""

from __future__ import annotations

import json
import re
from typing import Any, cast

HIDDEN = "***"
_WORDS = "password|passwd|passphrase|pwd|secret|token|api[-_]?key|private|credential|authorization|cookie|signature"
_NAMED = re.compile(rf"(?i:{_WORDS}|(?:^|[-_])key$|environ|env_?var)|[a-z]Key$")
# In text that is no JSON: a name that ends like a secret's, an equals sign or colon, and what follows.
_WRITTEN = re.compile(rf"(?i)(\b[\w.-]*(?:{_WORDS}|key)[\w.-]*[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&]+)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+")


def redact(text: str) -> str:
    """The text with the values of secrets hidden; JSON stays JSON."""
    try:
        value: object = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, dict | list):
        return json.dumps(_hide(cast("Any", value)), ensure_ascii=False)
    return _in_text(text)


def redact_named(name: str, value: str) -> str:
    """The value of something of this name, hidden if the name is a secret's."""
    return HIDDEN if _NAMED.search(name) else redact(value)


def _hide(value: Any) -> Any:
    match value:
        case dict():
            items = cast("dict[str, Any]", value).items()
            return {key: HIDDEN if _NAMED.search(key) and item is not None else _hide(item) for key, item in items}
        case list():
            return [_hide(item) for item in cast("list[Any]", value)]
        case str():
            return _in_text(value)
        case _:
            return value


def _in_text(text: str) -> str:
    return _WRITTEN.sub(rf"\1{HIDDEN}", _BEARER.sub(rf"\1 {HIDDEN}", text))
