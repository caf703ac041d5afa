"""How a run fails, and what of it the log and the caller are shown."""

import concurrent.futures.thread
import importlib
import re
import traceback
from pathlib import Path

_ORCHESTRATOR_STATE = "\n\n$OutOfProcData$"
_DURABLE_SDK = str(Path("azure", "durable_functions"))
_SERIALISED = re.compile(r'\s*\{"\$type":"System\.Exception,.*')
_OWN_FOLDER = str(Path(__file__).parents[1])
_OWN_FILES = {concurrent.futures.thread.__file__, importlib.__file__}


class RunFailed(Exception):
    """A run ended without success; the log says so."""


class FunctionRaised(RunFailed):
    """The function, or the conversion of its arguments and results, raised `error`."""

    def __init__(self, error: BaseException) -> None:
        self.text = _text_of(error)
        """What `str(error)` gives; the durable SDK hangs the whole state of an orchestrator onto it."""
        super().__init__(f"{type(error).__name__}: {self.text.partition(_ORCHESTRATOR_STATE)[0]}")
        self.error = error

    @property
    def report(self) -> str:
        """The failure as the Functions host logs it, but for what hides an orchestrator's own error.

        That are the exceptions of its tasks as .NET writes them, logged where they happened, and the SDK's frames.
        """
        cause = self.error.__cause__ if _ORCHESTRATOR_STATE in self.text else None
        stack = self.stack if cause is None else app_stack(cause, without=_DURABLE_SDK)
        return f"Result: Failure\nException: {_SERIALISED.sub('', str(self))}\nStack: {stack}"

    @property
    def stack(self) -> str:
        """The traceback without the frames of this host and of its thread pool."""
        return app_stack(self.error)


class BindingFailed(Exception):
    """An input could not be fetched, or an output not be delivered."""


class FunctionTimedOut(RunFailed):
    """The run took longer than functionTimeout."""


def app_stack(error: BaseException, *, without: str | None = None) -> str:
    """The traceback without the frames of this host, of its threads and of imports, and of files with `without`."""
    frames = [
        one
        for one in traceback.extract_tb(error.__traceback__)
        if one.filename not in _OWN_FILES
        and not one.filename.startswith(_OWN_FOLDER)
        and not one.filename.startswith("<frozen importlib")
        and (without is None or without not in one.filename)
    ]
    return "".join(traceback.format_list(frames)).rstrip()


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the app's own __str__ may raise anything
        return "Unhandled exception in function. Could not serialize original exception message."
