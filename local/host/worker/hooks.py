"""Worker extensions: code of a package that Azure's worker runs before and after each function, where it is told to.

`azure.functions` keeps what an app's extensions have registered. From Python 3.13 on the worker has none of this.
"""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

from azure.functions import ExtensionMeta

from local.host.core.flags import is_true
from local.host.core.functions import FunctionTable
from local.host.core.logs import host_log

ENABLED = "PYTHON_ENABLE_WORKER_EXTENSIONS"
_WITHOUT = (3, 13)
_logger = logging.getLogger("azure_functions_worker.extension")


class Hooks:
    """The hooks of one app: those of the whole app, and those of single functions."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._on = is_true(environment.get(ENABLED, "")) and sys.version_info < _WITHOUT

    def take(self, table: FunctionTable) -> None:
        """Run the hooks of functions that are loaded; warn where an app has registered hooks that do not run."""
        info = cast("Mapping[str, Any]", ExtensionMeta._info)  # noqa: SLF001 - the SDK shows it as JSON alone  # pyright: ignore[reportPrivateUsage] - as said
        if info and not self._on:
            host_log.warning(
                "The app registers worker extensions, which do not run: %s. Azure's worker runs them up to Python 3.12 "
                "where %s is 1. Set it in local.settings.json, too.",
                ExtensionMeta.get_registered_extensions_json(),
                ENABLED,
            )
        for function in table.functions.values():
            for hook in self._of(function.name, "post_function_load", app_first=False):
                _run(hook, function.name, str(function.directory))

    def around(self, code: Callable[..., Any], context: Any, arguments: dict[str, Any]) -> Callable[..., Any]:
        """The plain function with its hooks, which may change its arguments."""
        if not self._on:
            return code

        def call(**_: Any) -> Any:
            self.before(context, arguments)
            returned = code(**arguments)
            self.after(context, arguments, returned)
            return returned

        return call

    def before(self, context: Any, arguments: dict[str, Any]) -> None:
        """Run the hooks of an invocation that begins."""
        for hook in self._of(context.function_name, "pre_invocation", app_first=True):
            _run(hook, _logger.getChild(hook.ext_name), context, arguments)

    def after(self, context: Any, arguments: dict[str, Any], returned: Any) -> None:
        """Run the hooks of an invocation that has ended well."""
        for hook in self._of(context.function_name, "post_invocation", app_first=False):
            _run(hook, _logger.getChild(hook.ext_name), context, arguments, returned)

    def _of(self, function: str, name: str, *, app_first: bool) -> list[Any]:
        if not self._on:
            return []
        own = getattr(ExtensionMeta.get_function_hooks(function), name, [])
        everywhere = getattr(ExtensionMeta.get_application_hooks(), f"{name}_app_level", [])
        return [*everywhere, *own] if app_first else [*own, *everywhere]


def forget() -> None:
    """Undo what an app's extensions have registered, so that the next app in this process registers its own."""
    for registered in (ExtensionMeta._func_exts, ExtensionMeta._info):  # noqa: SLF001 - the SDK has no other way  # pyright: ignore[reportPrivateUsage] - as said
        registered.clear()
    ExtensionMeta._app_exts = None  # noqa: SLF001 - as above  # pyright: ignore[reportPrivateUsage] - as said


def _run(hook: Any, *arguments: Any) -> None:
    try:
        hook.ext_impl(*arguments)
    except Exception:  # noqa: BLE001 - as in the worker, it stops neither the others nor the function
        _logger.getChild(hook.ext_name).exception("A worker extension failed.")
