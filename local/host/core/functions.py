"""What the host knows of a function once it is indexed: plain data, no behaviour of any trigger."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Direction = Literal["in", "out"]

ORCHESTRATION = "orchestrationTrigger"
ACTIVITY = "activityTrigger"
ENTITY = "entityTrigger"
DURABLE_CLIENT = "durableClient"
EVENT_GRID = "eventGridTrigger"
# Converters beside those of azure.functions: of requests and responses that a web framework streams, and of clients of
# an SDK (packages azurefunctions-extensions-*).
STREAMED = "streamedHttp"
SDK_TYPE = "sdkType"


@dataclass(frozen=True)
class Binding:
    """One entry of what would be function.json: `fields` keeps every property under its camelCase name."""

    name: str
    type: str
    direction: Direction
    fields: Mapping[str, Any]

    @property
    def data_type(self) -> str:
        """`string`, `binary`, `stream` or empty: how the app asked to be given the value."""
        return str(self.fields.get("dataType") or "").lower()

    def text(self, key: str, default: str = "") -> str:
        """The property as text; the default when it is absent or null."""
        value = self.fields.get(key)
        return default if value is None else str(value)


@dataclass(frozen=True)
class Parameter:
    """How one argument is converted: the name of its converter, and the annotation if there is one."""

    converter: str
    annotation: Any


@dataclass(frozen=True)
class RetryPolicy:
    """Retries in the worker's process, in seconds. `maximum_retries` -1 means for ever."""

    maximum_retries: int
    fixed_delay: float | None = None
    minimum_delay: float = 0.0
    maximum_delay: float = 0.0


@dataclass(frozen=True)
class Function:
    """A function that loaded, with everything its trigger and its worker need."""

    name: str
    code: Callable[..., Any]
    directory: Path
    script_file: str
    trigger: Binding
    bindings: tuple[Binding, ...]
    inputs: Mapping[str, Parameter]
    outputs: Mapping[str, Parameter]
    returns: Parameter | None
    is_async: bool
    needs_context: bool
    retry: RetryPolicy | None = None
    disabled: bool = False

    @property
    def is_streamed(self) -> bool:
        """Whether it takes a web framework's request."""
        return self.returns is not None and self.returns.converter == STREAMED


@dataclass(frozen=True)
class FunctionError:
    """A function that the host refused, and why; shown at the start and under /admin/functions/{name}/status."""

    name: str
    reason: str


@dataclass
class FunctionTable:
    """The functions that run now. A reload puts a new table in the place of the old one."""

    functions: dict[str, Function] = field(default_factory=dict[str, Function])
    errors: list[FunctionError] = field(default_factory=list[FunctionError])
    failure: str | None = None
    """Why no function at all could be loaded, as the worker would say it; None when the app loaded."""

    def refuse(self, errors: list[FunctionError]) -> None:
        """Take the functions with an error out."""
        self.errors += errors
        for error in errors:
            self.functions.pop(error.name, None)

    def find(self, name: str) -> Function | None:
        """The function of that name, whatever its case."""
        found = self.functions.get(name)
        if found is not None:
            return found
        wanted = name.lower()
        return next((one for key, one in self.functions.items() if key.lower() == wanted), None)

    def of_type(self, trigger: str) -> list[Function]:
        """The enabled functions with that kind of trigger."""
        return [one for one in self.functions.values() if one.trigger.type == trigger and not one.disabled]

    def has_trigger(self, trigger: str) -> bool:
        """Whether any function has that kind of trigger, be it disabled."""
        return any(one.trigger.type == trigger for one in self.functions.values())
