"""A Bicep file as declarations over its syntax tree (tree-sitter-bicep)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import tree_sitter_bicep
from tree_sitter import Language, Parser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tree_sitter import Node

_parser = Parser(Language(tree_sitter_bicep.language()))

Kind = Literal["parameter", "variable", "resource", "module", "output"]
Plain = str | int | bool | None | list["Plain"] | dict[str, "Plain"]

_KINDS: dict[str, Kind] = {
    "parameter_declaration": "parameter",
    "variable_declaration": "variable",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}
_NOT_DECLARING = {"comment", "diagnostic_comment", "decorators", "target_scope_assignment"}


@dataclass(frozen=True)
class Declaration:
    """One statement of a file.

    Attributes:
        subject: what stands after the name: the type of a parameter or output, the type reference of a resource, the
            path of a module; empty for a variable.
        value: the expression on the right; None for a parameter without a default.
        decorators: the calls in front of it, such as `@secure()`.
    """

    kind: Kind
    name: Node
    subject: str
    value: Node | None
    decorators: tuple[Node, ...]
    existing: bool

    def decorator(self, name: str) -> Node | None:
        """The call of the decorator of that name, if there is one."""
        return next((call for call in self.decorators if text(call).startswith(f"{name}(")), None)


@dataclass(frozen=True)
class Document:
    """A parsed file."""

    path: Path
    root: Node
    declarations: tuple[Declaration, ...]
    strangers: tuple[Node, ...]
    """Statements outside the subset that is checked."""

    def named(self, name: str) -> Declaration:
        """The declaration of that name, outputs aside.

        Raises:
            KeyError: there is none.
        """
        found = next((d for d in self.declarations if d.kind != "output" and text(d.name) == name), None)
        if found is None:
            raise KeyError(name)
        return found


def parse(path: Path) -> Document:
    """Read a file. Syntax errors stay in the tree, as nodes of their own."""
    root = _parser.parse(path.read_bytes()).root_node
    declarations: list[Declaration] = []
    strangers: list[Node] = []
    decorators: tuple[Node, ...] = ()
    for node in root.named_children:
        if node.type == "decorators":
            decorators = tuple(children(decorator)[0] for decorator in children(node) if children(decorator))
        elif node.type in _KINDS:
            declarations.append(_declaration(_KINDS[node.type], node, decorators))
            decorators = ()
        elif node.type not in _NOT_DECLARING and not node.is_error:
            strangers.append(node)
    return Document(path, root, tuple(declarations), tuple(strangers))


def _declaration(kind: Kind, node: Node, decorators: tuple[Node, ...]) -> Declaration:
    parts = children(node)
    subject = parts[1] if kind != "variable" and len(parts) > 1 else None
    has_value = len(parts) > (1 if kind == "variable" else 2)
    return Declaration(
        kind=kind,
        name=parts[0],
        subject="" if subject is None else (literal(subject) or text(subject)),
        value=parts[-1] if has_value else None,
        decorators=decorators,
        existing=kind == "resource" and any(child.type == "existing" for child in node.children),
    )


def children(node: Node) -> list[Node]:
    """The parts of a node that mean something."""
    return [child for child in node.named_children if child.type not in {"comment", "diagnostic_comment"}]


def walk(node: Node) -> Iterator[Node]:
    """The node and everything inside it, in the order of the text."""
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: Node) -> str:
    """The node as it is written."""
    return cast("bytes", node.text).decode()


def field(node: Node, name: str) -> Node:
    """A part that the grammar guarantees."""
    return cast("Node", node.child_by_field_name(name))


def literal(node: Node) -> str | None:
    """The text in a string without interpolation; None for anything else."""
    if node.type != "string" or any(child.type == "interpolation" for child in node.named_children):
        return None
    written = text(node)
    if written.startswith("'''"):
        return written[3:-3]
    return written[1:-1].replace("\\'", "'").replace("\\\\", "\\")


def key(property_: Node) -> str | None:
    """The name of a property of an object; None when it is computed."""
    name = children(property_)[0]
    return literal(name) if name.type == "string" else text(name)


def body(node: Node | None) -> Node | None:
    """What a loop repeats or a condition guards, else the node itself."""
    while node is not None and node.type in {"for_statement", "if_statement"}:
        node = children(node)[-1]
    return node


def loop_variables(node: Node) -> frozenset[str]:
    """The names that a loop gives to its element and its index."""
    if node.type != "for_statement":
        return frozenset()
    first = children(node)[0]
    return frozenset(text(part) for part in (children(first) if first.type == "for_loop_parameters" else [first]))


def plain(node: Node | None) -> Plain:
    """A literal as a Python value; an expression inside it as its text, in which `${...}` marks interpolation."""
    node = body(node)
    if node is None:
        return None
    match node.type:
        case "object":
            return {key(item) or text(children(item)[0]): plain(children(item)[1]) for item in children(node)}
        case "array":
            return [plain(item) for item in children(node)]
        case "string":
            written = literal(node)
            return text(node)[1:-1] if written is None else written
        case "number" | "boolean" | "null":
            return cast("int | bool | None", json.loads(text(node)))
        case _:
            return text(node)
