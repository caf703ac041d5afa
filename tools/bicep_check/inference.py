"""What type an expression has, as far as it can be told without running it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from tools.bicep_check.functions import FUNCTIONS
from tools.bicep_check.syntax import Document, body, children, field, literal, text
from tools.bicep_check.types import (
    ANY,
    ARRAY,
    BOOL,
    INT,
    NULL,
    OBJECT,
    PRIMITIVES,
    STRING,
    AzureTypes,
    Choice,
    Constant,
    ObjectType,
    Type,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from tools.bicep_check.syntax import Declaration

_FIXED: dict[str, Type] = {"null": NULL, "object": OBJECT, "array": ARRAY, "for_statement": ARRAY}
_COMPARISONS = {"==", "!=", "<", ">", "<=", ">=", "&&", "||", "=~", "!~"}


class Inference:
    """Types of the expressions of one file."""

    def __init__(self, document: Document, azure: AzureTypes) -> None:
        self._azure = azure
        self._symbols = {text(d.name): d for d in document.declarations if d.kind != "output"}
        self.declared = lru_cache(maxsize=None)(self._declared)

    def of(self, node: Node | None, local: frozenset[str]) -> Type:
        """The type of an expression in which the names in `local` come from loops."""
        if node is None:
            return ANY
        if node.type in _FIXED:
            return _FIXED[node.type]
        if node.type in {"string", "number", "boolean"}:
            return _constant(node)
        if node.type in {"unary_expression", "binary_expression"}:
            return _computed(node)
        return self._referred(node, local)

    def _referred(self, node: Node, local: frozenset[str]) -> Type:
        match node.type:
            case "parenthesized_expression":
                return self.of(children(node)[0], local)
            case "ternary_expression":
                return Choice(tuple(self.of(field(node, part), local) for part in ("consequence", "alternative")))
            case "call_expression":
                return FUNCTIONS.get(text(field(node, "function")), ANY)
            case "identifier":
                return ANY if text(node) in local else self.declared(text(node))
            case "member_expression":
                return self.member(self.of(field(node, "object"), local), text(field(node, "property")))
            case _:
                return ANY

    def _declared(self, name: str) -> Type:
        declaration = self._symbols.get(name)
        if declaration is None:
            return ANY
        if declaration.kind == "parameter":
            return PRIMITIVES.get(declaration.subject, ANY)
        if declaration.kind == "variable":
            return self.of(declaration.value, frozenset())
        if declaration.kind == "resource" and not _is_loop(declaration):
            schema = self._azure.resource(declaration.subject)
            return schema.body if schema else ANY
        return ANY

    @staticmethod
    def member(owner: Type, name: str) -> Type:
        """The type of `owner.name`; any, when that cannot be told or is wrong."""
        if not isinstance(owner, ObjectType):
            return ANY
        if name in owner.properties:
            return owner.properties[name].type
        return owner.additional or ANY


def _constant(node: Node) -> Type:
    if node.type == "number":
        return Constant(int(text(node)))
    if node.type == "boolean":
        return Constant(text(node) == "true")
    value = literal(node)
    return STRING if value is None else Constant(value)


def _computed(node: Node) -> Type:
    if node.type == "unary_expression":
        return BOOL if text(node).startswith("!") else INT
    operator = next(text(child) for child in node.children if not child.is_named)
    if operator in _COMPARISONS:
        return BOOL
    return ANY if operator == "??" else INT


def _is_loop(declaration: Declaration) -> bool:
    return declaration.value is not None and declaration.value.type == "for_statement"


def guarded(declaration: Declaration) -> Node | None:
    """The object that a resource or module declares, inside its loop or condition."""
    found = body(declaration.value)
    return found if found is not None and found.type == "object" else None
