"""A Bicep module deployed: every resource put to a resource manager, in the order in which they need one another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.bicep_check.syntax import Declaration, Document, body, children, key, parse, plain, text
from tools.bicep_check.syntax import field as part
from tools.dry_run.expressions import Local, condition, evaluate, loop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx
    from tree_sitter import Node

_OF_BICEP = frozenset({"name", "parent", "dependsOn", "scope"})
TENANT = "00000000-0000-0000-0000-00000000000f"
_CLOUD: dict[str, Any] = {
    "resourceManager": "https://management.azure.com/",
    "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"},
    "suffixes": {"storage": "core.windows.net"},
}


class InvalidParameter(Exception):
    """A parameter's value is not one that the module takes."""


class Module:
    """One module with its parameters, deployed at a subscription or resource group.

    Values are worked out when they are needed, so a resource is put before the first that reads it.
    """

    def __init__(
        self,
        document: Document,
        parameters: Mapping[str, Any],
        client: httpx.Client,
        at: str,
        instead: Mapping[str, Callable[..., Any]],
    ) -> None:
        self._document, self._parameters, self._client, self._at = document, parameters, client, at
        self._instead = instead
        self._known: dict[str, Any] = {}
        for declaration in document.declarations:
            if declaration.kind == "parameter":
                _check(declaration, self.value(text(declaration.name)))

    def deploy(self) -> dict[str, Any]:
        """Put everything; the outputs.

        Raises:
            httpx.HTTPStatusError: the resource manager refused a resource.
        """
        for declaration in self._document.declarations:
            if declaration.kind in {"resource", "module"}:
                self.value(text(declaration.name))
        return {
            text(one.name): evaluate(one.value, self, {})
            for one in self._document.declarations
            if one.kind == "output" and one.value is not None
        }

    @property
    def here(self) -> Mapping[str, Callable[..., Any]]:
        subscription = "/".join(self._at.split("/")[:3])

        def of_subscription(kind: str, name: str) -> str:
            return f"{subscription}/providers/{kind}/{name}"

        def of_group(kind: str, name: str) -> str:
            return f"{self._at}/providers/{kind}/{name}"

        return {
            "environment": lambda: _CLOUD,
            "tenant": lambda: {"tenantId": TENANT},
            "subscription": lambda: {"id": subscription, "subscriptionId": subscription.rsplit("/", 1)[-1]},
            "resourceGroup": lambda: {"id": self._at, "name": self._at.rsplit("/", 1)[-1]},
            "resourceId": of_group,
            "subscriptionResourceId": of_subscription,
            **self._instead,
        }

    def value(self, name: str) -> Any:
        """The value of a parameter, variable, resource or module of this file."""
        if name not in self._known:
            self._known[name] = self._worked_out(self._document.named(name))
        return self._known[name]

    def _worked_out(self, declaration: Declaration) -> Any:
        name = text(declaration.name)
        if declaration.kind == "parameter":
            if name in self._parameters:
                return self._parameters[name]
            if declaration.value is None:
                raise InvalidParameter(f"{self._document.path.name} needs the parameter {name}.")
        value = declaration.value
        if value is None:
            raise NotImplementedError(f"{name} has no value.")
        if declaration.kind in {"parameter", "variable"}:
            return evaluate(value, self, {})
        if value.type == "for_statement":
            return [self._made(declaration, inner) for inner in loop(value, self, {})]
        return self._made(declaration, {})

    def _made(self, declaration: Declaration, local: Local) -> Any:
        """A resource or module, once; None where a condition leaves it out."""
        described = body(declaration.value)
        if described is None or not condition(declaration.value, self, local):
            return None
        own = {key(item): children(item)[1] for item in children(described)}
        if "dependsOn" in own:
            evaluate(own["dependsOn"], self, local)
        if declaration.kind == "module":
            return {"outputs": self._called(declaration, own, local)}
        return self._put(declaration, described, own, local)

    def _called(self, declaration: Declaration, own: Mapping[str | None, Node], local: Local) -> dict[str, Any]:
        document = parse(self._document.path.parent / declaration.subject)
        parameters: dict[str, Any] = evaluate(own["params"], self, local) if "params" in own else {}
        at = evaluate(own["scope"], self, local)["id"] if "scope" in own else self._at
        return Module(document, parameters, self._client, at, self._instead).deploy()

    def _put(
        self, declaration: Declaration, described: Node, own: Mapping[str | None, Node], local: Local
    ) -> dict[str, Any]:
        type_, version = declaration.subject.split("@")
        name = evaluate(own["name"], self, local)
        if "parent" in own:
            id_ = f"{evaluate(own['parent'], self, local)['id']}/{type_.rsplit('/', 1)[-1]}/{name}"
        elif type_ == "Microsoft.Resources/resourceGroups":
            id_ = f"{self._at}/resourceGroups/{name}"
        else:
            on = evaluate(own["scope"], self, local)["id"] if "scope" in own else self._at
            id_ = f"{on}/providers/{type_}/{name}"
        query = {"api-version": version}
        if declaration.existing:
            answer = self._client.get(id_, params=query)
        else:
            written = {
                key(item): evaluate(children(item)[1], self, local)
                for item in children(described)
                if key(item) not in _OF_BICEP
            }
            answer = self._client.put(id_, params=query, json=written)
        answer.raise_for_status()
        return {**answer.json(), "id": id_, "name": name}


def _check(declaration: Declaration, value: Any) -> None:
    name = text(declaration.name)
    allowed = declaration.decorator("allowed")
    if allowed is not None:
        choices: Any = plain(children(part(allowed, "arguments"))[0])
        if value not in choices:
            raise InvalidParameter(f"{name} is {value!r}, not one of {choices}.")
    for limit, size in (("minLength", len), ("minValue", int)):
        call = declaration.decorator(limit)
        if call is not None and size(value) < int(text(children(part(call, "arguments"))[0])):
            raise InvalidParameter(f"{name} is below its {limit}.")


def provision(
    folder: Path,
    parameters: Mapping[str, Any],
    client: httpx.Client,
    subscription: str,
    instead: Mapping[str, Callable[..., Any]] | None = None,
) -> dict[str, Any]:
    """Deploy main.bicep of a folder to a subscription; its outputs. `instead` takes the place of Bicep's functions.

    Raises:
        InvalidParameter: a parameter is missing or not one that a module takes.
        httpx.HTTPStatusError: the resource manager refused a resource.
    """
    document = parse(folder / "main.bicep")
    return Module(document, parameters, client, f"/subscriptions/{subscription}", instead or {}).deploy()
