"""Types of Bicep expressions and of Azure's resources."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

AZURE_TYPES = Path(__file__).parent / "azure_types"
_SHOWN = 8


@dataclass(frozen=True)
class Anything:
    """A value of which nothing is known before the deployment."""

    def __str__(self) -> str:
        return "any"


@dataclass(frozen=True)
class Primitive:
    """`string`, `int`, `bool`, `object`, `array` or `null`."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Constant:
    """One value: a literal, or one of the values that a property may have."""

    value: str | int | bool

    @property
    def primitive(self) -> Primitive:
        return {str: STRING, int: INT, bool: BOOL}[type(self.value)]

    def __str__(self) -> str:
        return f"'{self.value}'" if isinstance(self.value, str) else str(self.value).lower()


@dataclass(frozen=True)
class Choice:
    """One of several types."""

    options: tuple[Type, ...]

    def __str__(self) -> str:
        shown = " | ".join(map(str, self.options[:_SHOWN]))
        return shown if len(self.options) <= _SHOWN else f"{shown} | ..."


@dataclass(frozen=True)
class ListOf:
    """An array."""

    item: Type

    def __str__(self) -> str:
        return f"{self.item}[]"


@dataclass(frozen=True)
class Property:
    """What an object has under one name. Limits are of the text's length or of the number's value."""

    type: Type
    required: bool = False
    read_only: bool = False
    minimum: int | None = None
    maximum: int | None = None


class ObjectType:
    """An object; its properties are worked out when asked for, since Azure's types name each other in circles."""

    def __init__(self, name: str, described: dict[str, Any], schema: ResourceSchema | None) -> None:
        self.name = name
        self._described = described
        self._schema = schema

    def __str__(self) -> str:
        return self.name

    def _named(self, described: dict[str, dict[str, Any]]) -> dict[str, Property]:
        return {
            name: Property(
                type=self._schema.expression(entry["type"]) if self._schema else entry["type"],
                required=entry.get("required", False),
                read_only=entry.get("readOnly", False),
                minimum=entry.get("minLength", entry.get("minValue")),
                maximum=entry.get("maxLength", entry.get("maxValue")),
            )
            for name, entry in described.items()
        }

    @cached_property
    def properties(self) -> dict[str, Property]:
        return self._named(self._described["properties"])

    @cached_property
    def additional(self) -> Type | None:
        """The type of properties that the object has besides; None: it has no others."""
        expression = self._described.get("additional")
        if expression is None or self._schema is None:
            return expression
        return self._schema.expression(expression)

    @property
    def discriminator(self) -> str | None:
        """The property whose value decides which others there are."""
        return self._described.get("discriminator")

    @cached_property
    def alternatives(self) -> dict[str, dict[str, Property]]:
        """The properties that come with each value of the discriminator."""
        described: dict[str, dict[str, Any]] = self._described.get("alternatives", {})
        return {value: self._named(properties) for value, properties in described.items()}


Type = Anything | Primitive | Constant | Choice | ListOf | ObjectType

ANY = Anything()
STRING, INT, BOOL, OBJECT, ARRAY, NULL = map(Primitive, ("string", "int", "bool", "object", "array", "null"))
PRIMITIVES: dict[str, Type] = {
    "string": STRING,
    "int": INT,
    "bool": BOOL,
    "object": OBJECT,
    "array": ARRAY,
    "null": NULL,
    "any": ANY,
}


class ResourceSchema:
    """One resource type in one version."""

    def __init__(self, described: dict[str, Any]) -> None:
        self.reference: str = described["name"]
        self._types: dict[str, dict[str, Any]] = described["types"]
        self._made: dict[str, Type] = {}
        self.body = ObjectType(self.reference.split("@")[0], described["body"], self)

    def expression(self, written: str) -> Type:
        """A type as the files write it: `string`, `Name`, `Name[]`, `(A | B)[]`, `on | off | string`."""
        if written in self._made:
            return self._made[written]
        made = self._made[written] = self._parse(written)
        return made

    def _parse(self, written: str) -> Type:
        if written.endswith("[]"):
            return ListOf(self.expression(written.removesuffix("[]").removeprefix("(").removesuffix(")")))
        if written in PRIMITIVES:
            return PRIMITIVES[written]
        if written in self._types:
            return ObjectType(written, self._types[written], self)
        if " | " in written:
            return Choice(tuple(self.expression(option) for option in written.split(" | ")))
        return Constant(int(written) if re.fullmatch(r"-?\d+", written) else written)


class AzureTypes:
    """The resource types that infra/bicep uses. tools/azure_types.py adds one."""

    def __init__(self, folder: Path = AZURE_TYPES) -> None:
        schemas = [ResourceSchema(json.loads(file.read_text())) for file in sorted(folder.glob("*.json"))]
        self._schemas = {schema.reference.lower(): schema for schema in schemas}

    def resource(self, reference: str) -> ResourceSchema | None:
        """The type behind `Provider/type@version`, in whatever case it is written."""
        return self._schemas.get(reference.lower())

    def version(self, reference: str) -> str | None:
        """The version in which the type of a reference is known."""
        wanted = reference.lower().split("@")[0]
        versions = (s.reference.split("@")[1] for name, s in self._schemas.items() if name.split("@")[0] == wanted)
        return next(versions, None)


def options(type_: Type) -> tuple[Type, ...]:
    """The types that a value of this type may have."""
    if isinstance(type_, Choice):
        return tuple(inner for option in type_.options for inner in options(option))
    return (type_,)


def family(type_: Type) -> str:
    """The primitive a type comes down to."""
    if isinstance(type_, Constant):
        return type_.primitive.name
    if isinstance(type_, ListOf):
        return "array"
    if isinstance(type_, ObjectType):
        return "object"
    return str(type_)


def assignable(given: Type, wanted: Type) -> bool:
    """Whether the compiler lets a value of one type stand where another is wanted.

    A string that is not a literal may stand where certain values are wanted, as with the compiler.
    """
    return all(_one_assignable(source, wanted) for source in options(given))


def _one_assignable(source: Type, wanted: Type) -> bool:
    if isinstance(source, Anything) or source == NULL:
        return True
    for target in options(wanted):
        if isinstance(target, Anything):
            return True
        if isinstance(source, Constant) and isinstance(target, Constant):
            if source == target:
                return True
        elif family(source) == family(target):
            return True
    return False
