"""What a route is given and gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from local.arm.cloud import ArmError, Json


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in. `base` is the address of the stand-in."""

    method: str
    values: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    base: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `operation` and `location` are ids of long-running operations, named in either of the two headers."""

    body: Json | None
    status: int = 200
    operation: str | None = None
    location: str | None = None


def checked(shape: type[BaseModel], body: Any) -> Json:
    """The body as it is kept: with the shape's defaults.

    Raises:
        ArmError: it does not have the shape; the message names where, and no value.
    """
    try:
        return shape.model_validate(body).model_dump(by_alias=True, mode="json")
    except ValidationError as error:
        where = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)
        )
        raise ArmError(400, "InvalidRequestContent", f"The request content was invalid: {where}") from None
