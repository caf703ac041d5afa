"""The values of Bicep expressions."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from tools.bicep_check.syntax import body, children, field, key, text
from tools.dry_run.functions import FUNCTIONS, shown

if TYPE_CHECKING:
    from tree_sitter import Node

Local = Mapping[str, Any]


class Scope(Protocol):
    """Where an expression stands: what names mean there, and the functions whose answer depends on the place."""

    def value(self, name: str) -> Any:
        """The value of a symbol."""
        ...

    @property
    def here(self) -> Mapping[str, Callable[..., Any]]:
        """Functions such as `resourceGroup`."""
        ...


def evaluate(node: Node, scope: Scope, local: Local) -> Any:
    """The value of an expression; the names in `local` come from loops around it.

    Raises:
        NotImplementedError: the expression uses what is not evaluated here.
    """
    evaluator = _EVALUATORS.get(node.type)
    if evaluator is None:
        raise NotImplementedError(f"{node.type} is not evaluated: {text(node)[:60]}")
    return evaluator(node, scope, local)


def loop(node: Node, scope: Scope, local: Local) -> list[Local]:
    """The names of a loop's element and index with their values, once for each turn."""
    first, over = children(node)[:2]
    names = [text(part) for part in (children(first) if first.type == "for_loop_parameters" else [first])]
    return [
        {**local, **dict(zip(names, (item, index), strict=False))}
        for index, item in enumerate(evaluate(over, scope, local))
    ]


def condition(node: Node | None, scope: Scope, local: Local) -> bool:
    """Whether what an `if` guards is wanted; true for what nothing guards."""
    while node is not None and node.type == "for_statement":
        node = children(node)[-1]
    return node is None or node.type != "if_statement" or bool(evaluate(children(node)[0], scope, local))


def _literal(node: Node, scope: Scope, local: Local) -> Any:  # noqa: ARG001 - the signature of every evaluator
    return json.loads(text(node))


def _string(node: Node, scope: Scope, local: Local) -> str:
    parts: list[str] = []
    for child in node.named_children:
        if child.type == "interpolation":
            parts.append(shown(evaluate(children(child)[0], scope, local)))
        else:
            parts.append({"\\'": "'", "\\\\": "\\", "\\n": "\n"}.get(text(child), text(child)))
    return "".join(parts)


def _identifier(node: Node, scope: Scope, local: Local) -> Any:
    return local[text(node)] if text(node) in local else scope.value(text(node))


def _array(node: Node, scope: Scope, local: Local) -> list[Any]:
    return [evaluate(item, scope, local) for item in children(node)]


def _object(node: Node, scope: Scope, local: Local) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in children(node):
        written = key(item)
        name = evaluate(children(item)[0], scope, local) if written is None else written
        found[name] = evaluate(children(item)[1], scope, local)
    return found


def _parenthesized(node: Node, scope: Scope, local: Local) -> Any:
    return evaluate(children(node)[0], scope, local)


def _member(node: Node, scope: Scope, local: Local) -> Any:
    return evaluate(field(node, "object"), scope, local)[text(field(node, "property"))]


def _subscript(node: Node, scope: Scope, local: Local) -> Any:
    return evaluate(field(node, "object"), scope, local)[evaluate(field(node, "index"), scope, local)]


def _ternary(node: Node, scope: Scope, local: Local) -> Any:
    chosen = "consequence" if evaluate(field(node, "condition"), scope, local) else "alternative"
    return evaluate(field(node, chosen), scope, local)


def _for(node: Node, scope: Scope, local: Local) -> list[Any]:
    repeated = cast("Node", body(node))
    return [evaluate(repeated, scope, inner) for inner in loop(node, scope, local)]


def _unary(node: Node, scope: Scope, local: Local) -> Any:
    value = evaluate(field(node, "argument"), scope, local)
    return not value if text(node).startswith("!") else -value


def _binary(node: Node, scope: Scope, local: Local) -> Any:
    left, right = field(node, "left"), field(node, "right")
    sign = next(text(one) for one in node.children if not one.is_named)
    first = evaluate(left, scope, local)
    if sign in {"&&", "||"}:
        return first if bool(first) == (sign == "||") else evaluate(right, scope, local)
    return _OPERATORS[sign](first, evaluate(right, scope, local))


def _call(node: Node, scope: Scope, local: Local) -> Any:
    name = text(field(node, "function"))
    function = scope.here.get(name) or FUNCTIONS.get(name)
    if function is None:
        raise NotImplementedError(f"The function {name} is not evaluated; add it to tools/dry_run/functions.py.")
    return function(*(evaluate(one, scope, local) for one in children(field(node, "arguments"))))


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
_EVALUATORS: dict[str, Callable[[Node, Scope, Local], Any]] = {
    "array": _array,
    "binary_expression": _binary,
    "boolean": _literal,
    "call_expression": _call,
    "for_statement": _for,
    "identifier": _identifier,
    "member_expression": _member,
    "null": _literal,
    "number": _literal,
    "object": _object,
    "parenthesized_expression": _parenthesized,
    "string": _string,
    "subscript_expression": _subscript,
    "ternary_expression": _ternary,
    "unary_expression": _unary,
}
