"""Spares the SDK from making the same things over and over.

azure-functions-durable 1.7.0 gives the timestamp of every event of the whole history to dateutil on every turn: 85 % of
the time that an orchestrator takes, measured on a chain of 200 activities (3.4 s of which 2.9 s are dateutil). And it
makes a class for each turn, with `namedtuple`, which takes longer than a short history. A timestamp never changes once
it stands in a history, and neither a `datetime` nor that class can be modified, so remembering them changes nothing but
the time. Nothing else in the SDK is touched; DurableExtension(cache_sdk=False) leaves it as it is.
"""

import importlib
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache, lru_cache
from types import ModuleType
from typing import Any

REMEMBERED = 65_536
_OURS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")


@cache
def cache_sdk() -> None:
    """Put caches before the SDK's timestamp parser and its class; whichever this SDK has."""
    # Not plain imports: a package's attribute of this name is the class, and apps without Durable need not load it.
    _replace("azure.durable_functions.models.history.HistoryEvent", "dt_parse", _quick)
    _replace("azure.durable_functions.models.TaskOrchestrationExecutor", "namedtuple", _once)


def _replace(module_name: str, name: str, better: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    module: ModuleType = importlib.import_module(module_name)
    made = getattr(module, name, None)
    if made is not None:
        setattr(module, name, better(made))


def _once(make: Callable[..., Any]) -> Callable[..., Any]:
    """A class for a name and its fields, made the first time."""
    made = lru_cache(make)

    def once(name: str, fields: str | Iterable[str]) -> Any:
        return made(name, fields if isinstance(fields, str) else tuple(fields))

    return once


def _quick(parse: Callable[..., Any]) -> Callable[[str], Any]:
    """What `parse` gives, by a shorter way for timestamps of the form that the host writes."""
    zone = parse("2000-01-01T00:00:00Z").tzinfo  # dateutil's choice depends on the machine's own zone

    @lru_cache(REMEMBERED)
    def read(text: str) -> Any:
        if _OURS.fullmatch(text):
            return datetime.fromisoformat(text[:-1]).replace(tzinfo=zone)
        return parse(text)

    return read
