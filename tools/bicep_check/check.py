"""All checks of one file, and of how it calls the files beside it."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from tools.bicep_check.findings import Finding, Findings
from tools.bicep_check.inference import Inference, guarded
from tools.bicep_check.names import Names
from tools.bicep_check.syntax import (
    Declaration,
    Document,
    children,
    field,
    key,
    loop_variables,
    parse,
    text,
    walk,
)
from tools.bicep_check.types import ANY, PRIMITIVES, AzureTypes, ObjectType
from tools.bicep_check.values import Values

# What Bicep itself lets stand in a resource, besides the properties of its type.
_OF_BICEP = frozenset({"parent", "dependsOn", "scope"})
# As the linter of the compiler has it.
_SECRET = re.compile(r"password|pwd|secret|accountkey|acctkey", re.IGNORECASE)
_NO_SECRET = re.compile(r"secretpermissions|secretversion|secretur[il]|secretname", re.IGNORECASE)
_NO_LOCALS: frozenset[str] = frozenset()

_read = lru_cache(maxsize=None)(parse)


def check_file(path: Path, azure: AzureTypes) -> list[Finding]:
    """Everything that is wrong with a file, in the order of its lines."""
    return _Check(_read(path.resolve()), azure).run()


class _Check:
    def __init__(self, document: Document, azure: AzureTypes) -> None:
        self._document = document
        self._azure = azure
        self._findings = Findings()
        self._inference = Inference(document, azure)
        self._values = Values(self._inference, self._findings)
        self._names = Names(document, self._inference, self._findings, self._outputs)

    def run(self) -> list[Finding]:
        self._check_syntax()
        self._check_declared_once()
        for declaration in self._document.declarations:
            for call in declaration.decorators:
                self._names.check_decorator(call)
            if declaration.value is not None:
                self._names.check(declaration.value, _NO_LOCALS)
            match declaration.kind:
                case "parameter":
                    self._check_parameter(declaration)
                case "output":
                    self._check_output(declaration)
                case "resource":
                    self._check_resource(declaration)
                case "module":
                    self._check_module(declaration)
                case "variable":
                    pass
        self._check_used()
        return sorted(self._findings.found)

    def _check_syntax(self) -> None:
        for node in walk(self._document.root):
            if node.is_error or node.is_missing:
                self._findings.add(node, "syntax", f"Bicep cannot read {text(node)[:40]!r} here.")
        for node in self._document.strangers:
            self._findings.add(node, "subset", f"{node.type.replace('_', ' ')} is outside what is checked.")

    def _check_declared_once(self) -> None:
        seen: set[tuple[bool, str]] = set()
        for declaration in self._document.declarations:
            name = (declaration.kind == "output", text(declaration.name))
            if name in seen:
                self._findings.add(declaration.name, "BCP028", f"'{name[1]}' is declared twice.")
            seen.add(name)

    def _check_parameter(self, declaration: Declaration) -> None:
        name = text(declaration.name)
        if declaration.subject not in PRIMITIVES:
            self._findings.add(declaration.name, "BCP302", f"'{declaration.subject}' is not a type that is checked.")
        suggested = declaration.subject in {"string", "object"} and _SECRET.search(name) and not _NO_SECRET.search(name)
        if suggested and declaration.decorator("secure") is None:
            message = f"The name '{name}' suggests a secret; without @secure() it is kept in the history."
            self._findings.add(declaration.name, "secure-secrets-in-params", message)
        if declaration.value is None:
            return
        self._values.check(declaration.value, PRIMITIVES.get(declaration.subject, ANY), _NO_LOCALS, name)
        if declaration.decorator("secure") is not None and text(declaration.value) != "''":
            self._findings.add(declaration.value, "secure-parameter-default", f"The secret '{name}' has a default.")
        allowed = declaration.decorator("allowed")
        if allowed is not None and declaration.value.type in {"string", "number"}:
            choices = [text(item) for item in children(children(field(allowed, "arguments"))[0])]
            if text(declaration.value) not in choices:
                self._findings.add(declaration.value, "BCP027", f"The default of '{name}' is not one of those allowed.")

    def _check_output(self, declaration: Declaration) -> None:
        if declaration.value is None:
            return
        wanted = PRIMITIVES.get(declaration.subject, ANY)
        self._values.check(declaration.value, wanted, _NO_LOCALS, text(declaration.name))
        if "password" in text(declaration.name).lower():
            message = f"The name '{text(declaration.name)}' suggests a secret; an output is kept in the history."
            self._findings.add(declaration.name, "outputs-should-not-contain-secrets", message)
        secure = {text(d.name) for d in self._document.declarations if d.decorator("secure") is not None}
        for node in walk(declaration.value):
            if node.type == "identifier" and text(node) in secure:
                message = f"'{text(node)}' is secret; an output is kept in the deployment's history."
                self._findings.add(node, "outputs-should-not-contain-secrets", message)

    def _check_resource(self, declaration: Declaration) -> None:
        schema = self._azure.resource(declaration.subject)
        if schema is None:
            version = self._azure.version(declaration.subject)
            known = f"known is version {version}" if version else "tools/azure_types.py adds one"
            self._findings.add(declaration.name, "BCP081", f"No types for {declaration.subject}: {known}.")
            return
        node = guarded(declaration)
        if node is None or declaration.existing:
            return
        name = text(declaration.name)
        self._values.check_object(node, schema.body, self._local(declaration), name, besides=_OF_BICEP)

    def _check_module(self, declaration: Declaration) -> None:
        called = self._called(declaration.subject)
        if called is None:
            self._findings.add(declaration.name, "BCP091", f"There is no file '{declaration.subject}'.")
            return
        node = guarded(declaration)
        if node is None:
            return
        accepted = ObjectType(f"the parameters of {declaration.subject}", {"properties": _parameters(called)}, None)
        where = f"{text(declaration.name)}.params"
        given = next((children(item)[1] for item in children(node) if key(item) == "params"), None)
        if given is not None:
            self._values.check_object(given, accepted, self._local(declaration), where)
        elif missing := [name for name, property_ in accepted.properties.items() if property_.required]:
            self._findings.add(declaration.name, "BCP035", f"{where} lacks {', '.join(missing)}.")

    def _check_used(self) -> None:
        for declaration in self._document.declarations:
            name = text(declaration.name)
            if declaration.kind in {"parameter", "variable"} and name not in self._names.used:
                self._findings.add(declaration.name, f"no-unused-{declaration.kind}s", f"'{name}' is used nowhere.")

    def _called(self, reference: str) -> Document | None:
        path = (self._document.path.parent / reference).resolve()
        return _read(path) if path.is_file() else None

    def _outputs(self, reference: str) -> frozenset[str] | None:
        called = self._called(reference)
        return called and frozenset(text(d.name) for d in called.declarations if d.kind == "output")

    @staticmethod
    def _local(declaration: Declaration) -> frozenset[str]:
        value = declaration.value
        return loop_variables(value) if value is not None else _NO_LOCALS


def _parameters(document: Document) -> dict[str, dict[str, Any]]:
    return {
        text(d.name): {"type": PRIMITIVES.get(d.subject, ANY), "required": d.value is None} | _limits(d)
        for d in document.declarations
        if d.kind == "parameter"
    }


def _limits(declaration: Declaration) -> dict[str, int]:
    found: dict[str, int] = {}
    for limit in ("minLength", "maxLength", "minValue", "maxValue"):
        call = declaration.decorator(limit)
        if call is not None:
            found[limit] = int(text(children(field(call, "arguments"))[0]))
    return found
