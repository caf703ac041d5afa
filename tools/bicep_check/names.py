"""Whether every name in an expression means something: symbols, functions, and what is read after a dot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.bicep_check.findings import Findings, did_you_mean
from tools.bicep_check.functions import DECORATORS, FUNCTIONS
from tools.bicep_check.syntax import Document, children, field, loop_variables, text
from tools.bicep_check.types import Constant, ObjectType, Primitive

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from tools.bicep_check.inference import Inference

# What a resource has besides its type's properties.
_RESOURCE_MEMBERS = {"id", "name", "type", "apiVersion"}
_UNREADABLE = {"lambda_expression", "spread_syntax", "resource_declaration"}


class Names:
    """Checks the names in the expressions of one file, and remembers which symbols were used."""

    def __init__(
        self,
        document: Document,
        inference: Inference,
        findings: Findings,
        module_outputs: Callable[[str], frozenset[str] | None],
    ) -> None:
        self._symbols = {text(d.name): d for d in document.declarations if d.kind != "output"}
        self._inference = inference
        self._findings = findings
        self._module_outputs = module_outputs
        self.used: set[str] = set()

    def check_decorator(self, call: Node) -> None:
        """Check a decorator and what it is given."""
        name = text(field(call, "function")) if call.type == "call_expression" else text(call)
        if name not in DECORATORS:
            self._findings.add(call, "BCP057", f"There is no decorator '{name}'.{did_you_mean(name, DECORATORS)}")
        for argument in children(field(call, "arguments")):
            self.check(argument, frozenset())

    def check(self, node: Node, local: frozenset[str]) -> None:
        """Check every name in an expression; those in `local` come from loops around it."""
        match node.type:
            case "for_statement":
                parts = children(node)
                self.check(parts[1], local)
                self.check(parts[-1], local | loop_variables(node))
            case "object_property":
                name, value = children(node)[:2]
                if name.type == "string":
                    self.check(name, local)
                self.check(value, local)
            case "call_expression":
                self._check_call(node, local)
            case "member_expression":
                self.check(field(node, "object"), local)
                self._check_member(node, local)
            case "identifier":
                self._check_symbol(node, local)
            case _ if node.type in _UNREADABLE:
                self._findings.add(node, "subset", "Lambdas, spread and nested resources are outside what is checked.")
            case _:
                for child in children(node):
                    self.check(child, local)

    def _check_symbol(self, node: Node, local: frozenset[str]) -> None:
        name = text(node)
        if name in local:
            return
        self.used.add(name)
        if name not in self._symbols:
            hint = did_you_mean(name, [*self._symbols, *local])
            self._findings.add(node, "BCP057", f"The name '{name}' does not exist here.{hint}")

    def _check_call(self, node: Node, local: frozenset[str]) -> None:
        function = field(node, "function")
        if text(function) not in FUNCTIONS:
            hint = did_you_mean(text(function), FUNCTIONS)
            self._findings.add(function, "BCP057", f"The function '{text(function)}' is not known.{hint}")
        for argument in children(field(node, "arguments")):
            self.check(argument, local)

    def _check_member(self, node: Node, local: frozenset[str]) -> None:
        owner, name = field(node, "object"), text(field(node, "property"))
        module = self._symbols.get(text(owner).removesuffix(".outputs"))
        if module is not None and module.kind == "module" and text(owner) not in local:
            self._check_module_member(node, name, is_output=text(owner).endswith(".outputs"), module=module.subject)
            return
        type_ = self._inference.of(owner, local)
        if isinstance(type_, ObjectType) and type_.additional is None:
            known = {*type_.properties, *_RESOURCE_MEMBERS} if owner.type == "identifier" else set(type_.properties)
            for alternative in type_.alternatives.values():
                known.update(alternative)
            if name not in known:
                self._findings.add(node, "BCP053", f"{type_} has no property '{name}'.{did_you_mean(name, known)}")
        elif isinstance(type_, Constant) or (isinstance(type_, Primitive) and type_.name in {"string", "int", "bool"}):
            self._findings.add(node, "BCP055", f"'{name}' cannot be read from {type_}.")

    def _check_module_member(self, node: Node, name: str, *, is_output: bool, module: str) -> None:
        known = self._module_outputs(module) if is_output else frozenset({"outputs", "name"})
        if known is not None and name not in known:
            self._findings.add(node, "BCP053", f"'{module}' has no '{name}'; it has {', '.join(sorted(known))}.")
