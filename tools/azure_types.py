"""Refresh what is known here of Azure's types: one file per resource type that infra/bicep or a request uses.

    python tools/azure_types.py infra/bicep/*.bicep

The types come out of Microsoft's MIT-licensed npm package @azure/mcp, in whose 0.5.8 `azmcp bicepschema` still answers
for every provider (later versions lost several). npm fetches it into a temporary folder; nothing of it stays but the
names, types and limits of properties. Needed only when a module begins to use a new resource type.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PACKAGE = "@azure/mcp-linux-x64@0.5.8"
TARGET = Path(__file__).parent / "bicep_check" / "azure_types"
# The tool answers with the newest stable version, which for this type lacks what every template uses: written by hand.
BY_HAND = {"Microsoft.Insights/diagnosticSettings"}
# Not in the Bicep: the app itself writes them when it deploys, and tests hold its requests to them.
OF_REQUESTS = {
    "Microsoft.App/containerApps",
    "Microsoft.App/managedEnvironments/managedCertificates",
    "Microsoft.ContainerRegistry/registries/taskRuns",
}
_LIMITS = re.compile(r"(minLength|maxLength|minValue|maxValue): (-?\d+)")


def used_types(files: list[Path]) -> list[str]:
    """The resource types in Bicep files and requests, without their versions."""
    resource = re.compile(r"^resource \w+ '([^@']+)@", re.MULTILINE)
    found = {match for file in files for match in resource.findall(file.read_text())}
    return sorted((found | OF_REQUESTS) - BY_HAND)


def schema(tool: Path, resource_type: str) -> list[dict[str, Any]]:
    """What azmcp says of one resource type: the resource itself and every type its properties name."""
    environment = {**os.environ, "AZURE_MCP_COLLECT_TELEMETRY": "false", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    answer = subprocess.run(  # noqa: S603 - a program that npm just put there, and names from our own files
        [tool, "bicepschema", "get", "--resource-type", resource_type],
        capture_output=True,
        check=True,
        env=environment,
    )
    return json.loads(answer.stdout)["results"]["BicepSchemaResult"]


def _properties(described: list[dict[str, Any]] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in described or []:
        flags = item.get("flags") or ""
        entry: dict[str, Any] = {"type": item["type"]}
        if "Required" in flags:
            entry["required"] = True
        if "ReadOnly" in flags:
            entry["readOnly"] = True
        # Limits that are not of the form "name: number" (a pattern, "sensitive") are left out: patterns here are
        # .NET's, and a name that ARM refuses is found at once.
        entry |= {limit: int(number) for limit, number in _LIMITS.findall(item.get("modifiers") or "")}
        found[item["name"]] = entry
    return found


def _body(described: dict[str, Any]) -> dict[str, Any]:
    if described["$type"] == "DiscriminatedObject":
        by = described["discriminator"]
        alternatives = [_properties(element.get("properties")) for element in described["elements"]]
        return {
            "discriminator": by,
            "properties": _properties(described.get("baseProperties")),
            "alternatives": {alternative[by]["type"]: alternative for alternative in alternatives},
        }
    body: dict[str, Any] = {"properties": _properties(described.get("properties"))}
    if described.get("additionalPropertiesType"):
        body["additional"] = described["additionalPropertiesType"]
    return body


def _named_in(expression: str) -> list[str]:
    return [name for name in re.split(r" \| |[()\[\]]", expression) if name]


def _entries(holder: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [holder["properties"], *holder.get("alternatives", {}).values()]
    return [entry for group in groups for entry in group.values()]


def condense(answer: list[dict[str, Any]]) -> dict[str, Any]:
    """One resource, every type that can be written into it, and the read-only types directly on those.

    Types further inside what can only be read become `any`: Azure's network types name each other without end.
    """
    resource = next(item for item in answer if item.get("$type") == "Resource")
    named = {item["name"]: _body(item) for item in answer if item.get("$type") in {"Object", "DiscriminatedObject"}}
    body = _body(resource["bodyType"])
    own_name, own_version = resource["name"].split("@")
    for name in ("name", "type", "apiVersion"):  # the tool prints the resource's own type where any string goes
        if body["properties"].get(name, {}).get("type") in {own_name, own_version}:
            body["properties"][name]["type"] = "string"
    written: dict[str, Any] = {}
    todo = [body]
    while todo:
        holder = todo.pop()
        expressions = [entry["type"] for entry in _entries(holder) if "readOnly" not in entry]
        for name in _named_in(" | ".join([*expressions, holder.get("additional", "")])):
            if name in named and name not in written:
                written[name] = named[name]
                todo.append(named[name])
    entries = [entry for holder in [body, *written.values()] for entry in _entries(holder)]
    read = {name for entry in entries for name in _named_in(entry["type"])}
    kept = written | {name: named[name] for name in read if name in named}
    for entry in [entry for holder in kept.values() for entry in _entries(holder)]:
        if any(name in named and name not in kept for name in _named_in(entry["type"])):
            entry["type"] = "any"
    return {"name": resource["name"], "body": body, "types": kept}


def main(files: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "install", "--silent", "--no-audit", "--ignore-scripts", "--prefix", folder, PACKAGE]
        subprocess.run(command, check=True)  # noqa: S603 - fixed words
        tool = Path(folder, "node_modules", "@azure", "mcp-linux-x64", "dist", "azmcp")
        tool.chmod(0o755)
        for resource_type in used_types([Path(file) for file in files]):
            condensed = condense(schema(tool, resource_type))
            target = TARGET / f"{resource_type.replace('/', '_')}.json"
            target.write_text(json.dumps(condensed, indent=1, sort_keys=True) + "\n")
            print(target)  # noqa: T201 - a command that says what it wrote


if __name__ == "__main__":
    main(sys.argv[1:])
