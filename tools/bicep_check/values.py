"""Whether a value may stand where it stands: the properties of objects, and the types and limits of what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.bicep_check.findings import Findings, did_you_mean
from tools.bicep_check.syntax import body, children, field, key, loop_variables
from tools.bicep_check.types import (
    Anything,
    Constant,
    ListOf,
    ObjectType,
    Property,
    Type,
    assignable,
    options,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tree_sitter import Node

    from tools.bicep_check.inference import Inference


class Values:
    """Checks the values of one file against types."""

    def __init__(self, inference: Inference, findings: Findings) -> None:
        self._inference = inference
        self._findings = findings

    def check(self, node: Node, wanted: Type, local: frozenset[str], where: str) -> None:
        """Note where the value at `node` is not of the wanted type; `where` names it in the message."""
        if isinstance(wanted, Anything):
            return
        if node.type == "parenthesized_expression":
            self.check(children(node)[0], wanted, local, where)
        elif node.type == "ternary_expression":
            for part in ("consequence", "alternative"):
                self.check(field(node, part), wanted, local, where)
        elif not self._check_parts(node, wanted, local, where):
            given = self._inference.of(node, local)
            if not assignable(given, wanted):
                self._findings.add(node, "BCP036", f"{where} expects {wanted}, not {given}.")

    def _check_parts(self, node: Node, wanted: Type, local: frozenset[str], where: str) -> bool:
        """Check an object, array or loop part by part; False when there are no parts to check or none is wanted."""
        list_of = next((option for option in options(wanted) if isinstance(option, ListOf)), None)
        object_type = next((option for option in options(wanted) if isinstance(option, ObjectType)), None)
        if node.type == "array" and list_of:
            for item in children(node):
                self.check(item, list_of.item, local, f"{where}[]")
            return True
        if node.type == "for_statement" and list_of:
            repeated = body(node)
            if repeated is not None:
                self.check(repeated, list_of.item, local | loop_variables(node), f"{where}[]")
            return True
        if node.type == "object" and object_type:
            self.check_object(node, object_type, local, where)
            return True
        return False

    def check_object(
        self, node: Node, wanted: ObjectType, local: frozenset[str], where: str, *, besides: Collection[str] = ()
    ) -> None:
        """Check an object's properties; those named in `besides` belong to Bicep and may stand in it as well."""
        given: dict[str, Node] = {}
        computed = False
        for item in children(node):
            name = key(item)
            if name is None:
                computed = True
            elif name in given:
                self._findings.add(item, "BCP025", f"{where}.{name} is given twice.")
            else:
                given[name] = item
        properties = self._properties(node, wanted, given, local, where)
        if properties is None:
            return
        for name, item in given.items():
            if name in properties:
                self._check_property(item, properties[name], local, f"{where}.{name}")
            elif wanted.additional is not None:
                self.check(children(item)[1], wanted.additional, local, f"{where}.{name}")
            elif name not in besides:
                hint = did_you_mean(name, properties)
                self._findings.add(item, "BCP037", f"{where} ({wanted}) has no property '{name}'.{hint}")
        missing = [
            name
            for name, property_ in properties.items()
            if property_.required and not property_.read_only and name not in given
        ]
        if missing and not computed:
            self._findings.add(node, "BCP035", f"{where} lacks {', '.join(missing)}.")

    def _properties(
        self, node: Node, wanted: ObjectType, given: Mapping[str, Node], local: frozenset[str], where: str
    ) -> dict[str, Property] | None:
        """What the object may hold; None when that depends on a discriminator which is missing, wrong or computed."""
        by = wanted.discriminator
        if by is None:
            return wanted.properties
        if by not in given:
            self._findings.add(node, "BCP078", f"{where} needs '{by}', one of {', '.join(wanted.alternatives)}.")
            return None
        value = self._inference.of(children(given[by])[1], local)
        if not isinstance(value, Constant):
            return None
        if str(value.value) not in wanted.alternatives:
            self._findings.add(
                given[by], "BCP036", f"{where}.{by} expects {' | '.join(wanted.alternatives)}, not {value}."
            )
            return None
        return wanted.properties | wanted.alternatives[str(value.value)]

    def _check_property(self, item: Node, property_: Property, local: frozenset[str], where: str) -> None:
        if property_.read_only:
            self._findings.add(item, "BCP073", f"{where} can only be read.")
            return
        value = children(item)[1]
        self.check(value, property_.type, local, where)
        self._check_limits(value, property_, local, where)

    def _check_limits(self, node: Node, property_: Property, local: frozenset[str], where: str) -> None:
        given = self._inference.of(node, local)
        if not isinstance(given, Constant) or isinstance(given.value, bool):
            return
        size = len(given.value) if isinstance(given.value, str) else given.value
        measured = f"{where} has {size} characters" if isinstance(given.value, str) else f"{where} is {size}"
        if property_.minimum is not None and size < property_.minimum:
            self._findings.add(node, "BCP332", f"{measured}; the least allowed is {property_.minimum}.")
        if property_.maximum is not None and size > property_.maximum:
            self._findings.add(node, "BCP331", f"{measured}; the most allowed is {property_.maximum}.")
