"""host.json's extensions.durableTask, checked."""

import os
import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError


class OptionsInvalid(ValueError):
    """host.json's durableTask section holds a value that the backend cannot use."""


def _ten_per_core() -> int:
    return 10 * (os.cpu_count() or 1)


class DurableOptions(BaseModel):
    """The settings of extensions.durableTask that mean something on a local host; the others are accepted."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    hub_name: str = "TestHubName"
    max_concurrent_activity_functions: int = Field(default_factory=_ten_per_core, ge=1)
    max_concurrent_orchestrator_functions: int = Field(default_factory=_ten_per_core, ge=1)
    max_concurrent_entity_functions: int = Field(default_factory=_ten_per_core, ge=1)
    default_version: str | None = None
    version_match_strategy: Literal["None", "Strict", "CurrentOrOlder"] = "CurrentOrOlder"
    version_failure_strategy: Literal["Reject", "Fail"] = "Reject"
    store_inputs_in_orchestration_history: bool = False
    overridable_existing_instance_states: Literal["NonRunningStates", "AnyState"] = "NonRunningStates"
    max_entity_operation_batch_size: int = Field(default=5000, ge=1)
    max_orchestration_actions: int = Field(default=100_000, ge=1)

    @field_validator("hub_name")
    @classmethod
    def _is_name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{2,44}", value):
            raise PydanticCustomError("name", "a task hub's name is 3 to 45 letters and digits, a letter first")
        return value

    @field_validator(
        "version_match_strategy", "version_failure_strategy", "overridable_existing_instance_states", mode="before"
    )
    @classmethod
    def _in_any_case(cls, value: object, info: ValidationInfo) -> object:
        choices: tuple[str, ...] = get_args(cls.model_fields[str(info.field_name)].annotation)
        return next((one for one in choices if one.lower() == str(value).lower()), value)

    @classmethod
    def parse(cls, section: Mapping[str, Any]) -> "DurableOptions":
        """The options of one durableTask section; raises OptionsInvalid with the setting's path and the remedy."""
        known = {to_camel(name).lower(): to_camel(name) for name in cls.model_fields}
        normal = {known.get(key.lower(), key): value for key, value in section.items()}
        try:
            return cls.model_validate(normal)
        except ValidationError as error:
            first = error.errors()[0]
            path = ".".join(str(part) for part in first["loc"])
            message = f"host.json: extensions.durableTask.{path}: {first['msg']} (got {first['input']!r})."
            raise OptionsInvalid(message) from error
