"""The host's log: one line a record, as Core Tools prints it, or one JSON object a line."""

import asyncio
import json
import logging
import sys
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from local.host.core.flags import is_true

# In a tree of its own: whatever an app makes of logging (disable_existing_loggers, logging.disable, the root's handlers
# gone), at its load or while a function runs, the host goes on logging.
host_log = logging.Manager(logging.RootLogger(logging.WARNING)).getLogger("local.host")

LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}
_warned: set[tuple[str, ...]] = set()
# Names come from requests, too.
_MOST_WARNED = 1000
_RED, _YELLOW, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[0m"


@dataclass(frozen=True)
class InvocationTag:
    """Which run a log record belongs to."""

    function: str
    invocation_id: str
    instance_id: str


# Functions set `context.thread_local_storage.invocation_id` in threads of their own, so that what these log is theirs.
thread_local = threading.local()
active_invocations: dict[str, InvocationTag] = {}
current_invocation: ContextVar[InvocationTag | None] = ContextVar("current_invocation", default=None)
# Whether it is the function's own code that runs, and not the host that fetches its inputs or delivers its outputs.
in_function: ContextVar[bool] = ContextVar("in_function", default=False)
_CONTEXT_FOLLOWS = (3, 13)
# What the host, too, calls over HTTP and AMQP with; of a function's own calls Azure shows the records.
_ALSO_THE_HOSTS = ("azure.core.pipeline.policies.http_logging_policy", "azure.servicebus")


@dataclass(frozen=True)
class LogLevels:
    """host.json's logging.logLevel: the most specific category decides, then `default`, then Information."""

    categories: Mapping[str, int]
    user: int = logging.INFO
    """The lowest level of which --user-log-level says that functions log it."""

    @classmethod
    def parse(cls, section: Mapping[str, Any], user_level: str | None = None) -> "LogLevels":
        """The levels of a logLevel section; `user_level`, a key of LEVELS, wins for the functions' own records."""
        levels = {key.lower(): LEVELS.get(str(value).lower(), logging.INFO) for key, value in section.items()}
        if user_level is None:
            return cls(levels)
        return cls({**levels, "function": LEVELS[user_level]}, min(LEVELS[user_level], logging.INFO))

    def of(self, category: str) -> int:
        """The lowest level shown for a category such as `Function.name.User`."""
        parts = category.lower().split(".")
        for length in range(len(parts), 0, -1):
            level = self.categories.get(".".join(parts[:length]))
            if level is not None:
                return level
        return self.categories.get("default", logging.INFO)

    @property
    def lowest(self) -> int:
        """The level below which no record is needed at all."""
        return min([self.categories.get("default", logging.INFO), *self.categories.values()])


class HostLogHandler(logging.StreamHandler[TextIO]):
    """Shows the host's records, the functions' records from Information on, and libraries' warnings."""

    def __init__(self, stream: TextIO, levels: LogLevels, *, as_json: bool, verbose: bool = False) -> None:
        super().__init__(stream)
        self._levels = levels
        self._verbose = verbose
        self.level_before = logging.getLogger().level
        self.setFormatter(_JsonFormatter() if as_json else _LineFormatter(colour=stream.isatty()))

    def _is_lost(self, record: logging.LogRecord, run: InvocationTag) -> bool:
        """Whether the record of a run that goes on would be shown if its thread said that it is of it."""
        going_on = in_function.get() and run.invocation_id in active_invocations
        return going_on and record.levelno >= self._levels.of(f"Function.{run.function}.User")

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is shown; ties it to the invocation that it was written in."""
        tag = current_invocation.get()
        is_host = record.name.startswith(host_log.name)
        if not is_host:
            # What goes on after its run has ended belongs to no run: Azure's host drops what that logs.
            known, tag = tag, active_invocations.get(_running_here(tag))
            if known is not None and tag is None and self._is_lost(record, known):
                warn_once(
                    "Function '%s' logs on a thread that does not say whose it is, such as one of asyncio.to_thread: "
                    "Azure drops it. Set context.thread_local_storage.invocation_id = context.invocation_id there.",
                    known.function,
                )
        record.tag = tag
        if is_host:
            category = f"Function.{tag.function}" if tag is not None else "Host"
            shown = logging.DEBUG if self._verbose else self._levels.of(category)
        elif (
            tag is None
            or record.name.startswith(("azure_functions_worker", "azure.functions"))
            or (record.name.startswith(_ALSO_THE_HOSTS) and not in_function.get())
        ):
            shown = logging.INFO if self._verbose else logging.WARNING
        else:
            shown = self._levels.of(f"Function.{tag.function}.User")
        return record.levelno >= shown and bool(super().filter(record))


def _running_here(known: InvocationTag | None) -> str:
    """The invocation that a record of this thread is of, as the worker finds it.

    Up to Python 3.12 that is the task on an event loop, and on any other thread what the thread itself has set: unlike
    a context variable it does not come along into a thread.
    """
    in_task = asyncio._get_running_loop() is not None or sys.version_info >= _CONTEXT_FOLLOWS  # noqa: SLF001 - get_running_loop raises where there is none, at the cost of each record
    return known.invocation_id if in_task and known is not None else getattr(thread_local, "invocation_id", None) or ""


def install(handler: HostLogHandler, levels: LogLevels, environment: Mapping[str, str]) -> None:
    """Send every record of this process through the handler; the host's own whatever the app makes of logging.

    As in the Python worker, the root logger passes Information on, and Debug with PYTHON_ENABLE_DEBUG_LOGGING alone.
    """
    _warned.clear()
    root = logging.getLogger()
    for logger in (root, host_log):
        logger.addHandler(handler)
    debug = is_true(environment.get("PYTHON_ENABLE_DEBUG_LOGGING"))
    root.setLevel(logging.DEBUG if debug else levels.user)
    host_log.setLevel(levels.lowest)
    if root.level > min(levels.of("Function"), levels.of("default")):
        host_log.warning(
            "host.json asks for Debug, which the worker of Python does not send: set PYTHON_ENABLE_DEBUG_LOGGING=1 in "
            "local.settings.json, here as in Azure."
        )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def uninstall(handler: HostLogHandler) -> None:
    """Undo `install`."""
    for logger in (logging.getLogger(), host_log):
        logger.removeHandler(handler)
    logging.getLogger().setLevel(handler.level_before)
    host_log.setLevel(logging.NOTSET)


def warn_once(text: str, *arguments: object) -> None:
    """Warn of what a function does at every run, the first time only; numbers in the arguments make no difference."""
    key = (text, *(one for one in arguments if isinstance(one, str)))
    if key in _warned or len(_warned) > _MOST_WARNED:
        return
    _warned.add(key)
    host_log.warning(text, *arguments)


def to_console(levels: LogLevels, *, as_json: bool, verbose: bool) -> HostLogHandler:
    """A handler on standard error."""
    return HostLogHandler(sys.stderr, levels, as_json=as_json, verbose=verbose)


def timestamp(seconds: float) -> str:
    """UTC to the millisecond, as Core Tools prints it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class _LineFormatter(logging.Formatter):
    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        text = f"[{timestamp(record.created)}] {record.getMessage()}"
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        if self._colour and record.levelno >= logging.WARNING:
            return f"{_RED if record.levelno >= logging.ERROR else _YELLOW}{text}{_PLAIN}"
        return text


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": timestamp(record.created),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        tag: InvocationTag | None = getattr(record, "tag", None)
        is_host = record.name.startswith(host_log.name)
        entry["category"] = f"Function.{tag.function}{'' if is_host else '.User'}" if tag is not None else record.name
        if tag is not None:
            entry |= {"function": tag.function, "invocationId": tag.invocation_id}
            if tag.instance_id:
                entry["instanceId"] = tag.instance_id
        entry |= getattr(record, "fields", {})
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)
