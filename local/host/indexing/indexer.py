"""From an app's code to the table of functions that the host runs, with a reason for each one that it refuses."""

import inspect
import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from azure.functions.decorators.function_app import Function as DeclaredFunction
from azure.functions.decorators.function_app import FunctionRegister

from local.host.core.functions import Binding, Function, FunctionError, FunctionTable, RetryPolicy
from local.host.core.logs import host_log
from local.host.indexing.loading import AppCode, AppNotLoaded
from local.host.indexing.signatures import check_signature
from local.host.settings.expressions import ExpressionError, resolve_settings
from local.host.settings.local_settings import disabled
from local.host.settings.values import parse_retry
from local.host.worker.converters import INIT_INDEXING, streams

SUPPORTED_TRIGGERS = frozenset(
    {
        "httpTrigger",
        "timerTrigger",
        "queueTrigger",
        "serviceBusTrigger",
        "blobTrigger",
        "eventGridTrigger",
        "orchestrationTrigger",
        "activityTrigger",
        "entityTrigger",
        "warmupTrigger",
    }
)
SUPPORTED_INPUTS = frozenset({"blob", "table", "durableClient"})
SUPPORTED_OUTPUTS = frozenset({"http", "queue", "serviceBus", "blob", "table"})

# Since this version of Python the worker streams without being told to.
_STREAMS_BY_ITSELF = (3, 13)
_FUNCTION_NAME = re.compile(r"(?!host\Z)[a-z][a-z0-9_-]{0,127}\Z", re.IGNORECASE)
# Since version 4.1038 of the host; older ones refused every "_".
_BINDING_NAME = re.compile(r"(\$return|(?!.*__)[a-zA-Z_][a-zA-Z0-9_]{0,127})\Z")
# Texts that the app writes for the host, not for itself: %SETTING% is replaced in these.
_VERBATIM = {"name", "type", "direction"}


class Indexer:
    """Makes the function table of an app's code."""

    def __init__(self, code: AppCode, environment: Mapping[str, str]) -> None:
        self._code = code
        self._environment = environment

    def index(self, *, only: Collection[str] = (), retry: RetryPolicy | None = None) -> FunctionTable:
        """Load the app and check every function. `only` keeps these functions; `retry` is host.json's policy.

        A function that cannot run here, be it for one binding alone, is refused with the reason; the others run.
        """
        try:
            app = self._code.load(self._environment)
            known = dict(self._environment)  # the process's own decodes each value whenever it is looked at
            loaded = [self._load(one, retry, known) for one in self._declared(app)]
        except AppNotLoaded as error:
            return FunctionTable(failure=f"Result: Failure\nException: {error}\nStack: {error.stack}")
        if streams() and not self._environment.get(INIT_INDEXING) and sys.version_info < _STREAMS_BY_ITSELF:
            host_log.warning(
                "The app streams its HTTP: before Python 3.13 Azure answers none of its requests unless %s is 1 in its "
                "settings. Set it in local.settings.json, too.",
                INIT_INDEXING,
            )
        wanted = {name.lower() for name in only}
        table = FunctionTable()
        for function in loaded:
            if wanted and function.name.lower() not in wanted:
                continue
            try:
                accepted = self._accept(function)
            except ValueError as error:
                table.errors.append(FunctionError(function.name, str(error)))
                continue
            unsupported = [] if accepted.disabled else _unsupported(accepted)
            if unsupported:
                reason = f"It has {' and '.join(unsupported)}, which this host does not have. The other functions run."
                table.errors.append(FunctionError(accepted.name, reason))
            else:
                table.functions[accepted.name] = accepted
        if wanted and not table.functions:
            table.errors.append(FunctionError(", ".join(only), "--functions names no function of this app"))
        return table

    def _declared(self, app: FunctionRegister) -> list[DeclaredFunction]:
        try:
            return app.get_functions()
        except Exception as error:  # whatever the app's decorators raise is the app's error
            raise AppNotLoaded(error) from error

    def _load(
        self, declared: DeclaredFunction, host_retry: RetryPolicy | None, environment: Mapping[str, str]
    ) -> Function:
        name = cast("str", declared.get_function_name())
        code = declared.get_user_function()
        bindings = tuple(_binding(cast("dict[str, Any]", one.get_dict_repr())) for one in declared.get_bindings())
        try:
            signature = check_signature(name, code, bindings)
            source = inspect.getfile(code)  # of a wrapped function the wrapper's, as in the worker
            policy = cast("dict[str, Any] | None", declared.get_settings_dict("retry_policy"))
            retry = parse_retry({key.lower(): value for key, value in policy.items()}) if policy else host_retry
        except Exception as error:  # the worker lets one such function take the whole app down
            raise AppNotLoaded(error) from error
        trigger_name = cast("Any", declared.get_trigger()).name
        return Function(
            name=name,
            code=code,
            directory=Path(source).parent,
            script_file=declared.function_script_file,
            trigger=next(one for one in bindings if one.name == trigger_name and one.direction == "in"),
            bindings=bindings,
            inputs=signature.inputs,
            outputs=signature.outputs,
            returns=signature.returns,
            is_async=inspect.iscoroutinefunction(code),
            needs_context=signature.needs_context,
            retry=retry,
            disabled=disabled(name, environment),
        )

    def _accept(self, function: Function) -> Function:
        """The function with its `%SETTING%`s replaced. Raises ExpressionError or ValueError with why it is refused."""
        if not _FUNCTION_NAME.match(function.name):
            raise ValueError(f"'{function.name}' is not a valid function name.")
        for binding in function.bindings:
            if not _BINDING_NAME.match(binding.name):
                raise ValueError(
                    f"The binding name {binding.name} is invalid. Please assign a valid name to the binding. "
                    "(Letters, digits and single '_', no digit first.)"
                )
        resolved = {one.name: self._resolve(one) for one in function.bindings}
        if len({name.lower() for name in resolved}) < len(function.bindings):
            names = ", ".join(one.name for one in function.bindings)
            raise ValueError(f"Multiple bindings with the same name discovered: {names}. They must be unique.")
        return replace(function, bindings=tuple(resolved.values()), trigger=resolved[function.trigger.name])

    def _resolve(self, binding: Binding) -> Binding:
        try:
            fields = {
                key: resolve_settings(value, self._environment)
                if isinstance(value, str) and key not in _VERBATIM
                else value
                for key, value in binding.fields.items()
            }
        except ExpressionError as error:
            raise ExpressionError(
                f"{error} (binding '{binding.name}', {binding.type}) Set it in local.settings.json."
            ) from error
        return replace(binding, fields=fields)


def _unsupported(function: Function) -> list[str]:
    found: list[str] = []
    for binding in function.bindings:
        if binding is function.trigger:
            known = SUPPORTED_TRIGGERS
        else:
            known = SUPPORTED_OUTPUTS if binding.direction == "out" else SUPPORTED_INPUTS
        if binding.type not in known:
            found.append(f"the binding '{binding.name}' of type {binding.type}")
        elif binding.type in {"serviceBus", "serviceBusTrigger"} and binding.text("topicName"):
            found.append(f"the binding '{binding.name}' to a Service Bus topic")
        elif binding.text("isSessionsEnabled").lower() == "true":
            found.append(f"the binding '{binding.name}' with sessions")
    return found


def _binding(raw: Mapping[str, Any]) -> Binding:
    fields = {key: _plain(value) for key, value in raw.items() if value is not None}
    return Binding(
        name=str(fields.get("name", "")),
        type=str(fields.get("type", "")),
        direction="out" if str(fields.get("direction")).lower() in {"out", "1"} else "in",
        fields=fields,
    )


def _plain(value: Any) -> Any:
    if hasattr(value, "value"):
        return value.value if isinstance(value.value, str) else value.name.lower()
    if isinstance(value, (list, tuple, set)) or inspect.isgenerator(value):
        return [_plain(one) for one in cast("list[Any]", value)]
    return value
