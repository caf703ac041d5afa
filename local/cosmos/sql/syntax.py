"""The parts of a query, as the parser hands them to the evaluation."""

from dataclasses import dataclass, field
from typing import Any, Literal


class SqlError(Exception):
    """The query cannot be answered; the message is worded as Azure's. `code` is Azure's code of the error."""

    def __init__(self, message: str, code: str = "SC1001") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Constant:
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """An alias that FROM or JOIN gives."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """`target.key` or `target[key]`."""

    target: "Expression"
    key: "Expression"


@dataclass(frozen=True, slots=True)
class Unary:
    operator: Literal["NOT", "-", "+"]
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Logic:
    """Operands all joined by AND or all by OR. One node for all, since generated queries join a thousand of them."""

    operator: Literal["AND", "OR"]
    operands: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Conditional:
    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"


@dataclass(frozen=True, slots=True)
class In:
    value: "Expression"
    options: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Between:
    value: "Expression"
    low: "Expression"
    high: "Expression"


@dataclass(frozen=True, slots=True)
class Call:
    """A built-in function."""

    name: str
    arguments: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Aggregate:
    name: str
    argument: "Expression"


@dataclass(frozen=True, slots=True)
class ArrayOf:
    items: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class ObjectOf:
    items: "tuple[tuple[str, Expression], ...]"


@dataclass(frozen=True, slots=True)
class Subquery:
    """A query within an expression: whether it has rows, all of them, or the first."""

    kind: Literal["EXISTS", "ARRAY", "SCALAR"]
    query: "Query"


Expression = (
    Constant
    | Name
    | Member
    | Unary
    | Binary
    | Logic
    | Conditional
    | In
    | Between
    | Call
    | Aggregate
    | ArrayOf
    | ObjectOf
    | Subquery
)


@dataclass(frozen=True, slots=True)
class Source:
    """`alias IN expression` gives each element of an array; `expression AS alias` gives one value."""

    alias: str
    expression: Expression
    iterates: bool


@dataclass(slots=True)
class Query:
    """`items` None is SELECT *; `value` is SELECT VALUE, whose one expression is in `items`."""

    distinct: bool = False
    top: Expression | None = None
    value: bool = False
    items: list[tuple[str, Expression]] | None = None
    sources: list[Source] = field(default_factory=list[Source])
    where: Expression | None = None
    group: list[Expression] = field(default_factory=list[Expression])
    order: list[tuple[Expression, bool]] = field(default_factory=list[tuple[Expression, bool]])
    offset: Expression | None = None
    limit: Expression | None = None
    aggregates: int = 0

    @property
    def streams(self) -> bool:
        """Whether each document gives its rows by itself, in the order of the documents."""
        return not (self.distinct or self.top or self.group or self.order or self.offset or self.aggregates)
