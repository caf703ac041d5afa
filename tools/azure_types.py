"""Refresh what is known here of Azure's types: one file per resource type that infra/bicep or a request uses.

    git clone --depth 1 https://github.com/Azure/bicep-types-az CLONE
    python tools/azure_types.py CLONE infra/bicep/*.bicep

The types are Microsoft's own (MIT licence), those that the Bicep compiler checks against, in exactly the version that
is used. Of the clone, what a resource type names is kept: the names, types and limits of its properties. Needed only
when a module begins to use a new resource type or version.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "bicep_check" / "azure_types"
# Not in the Bicep: the app itself writes them when it deploys, and tests hold its requests to them.
OF_REQUESTS = {
    "Microsoft.App/containerApps@2025-01-01",
    "Microsoft.App/managedEnvironments/managedCertificates@2025-01-01",
    "Microsoft.ContainerRegistry/registries/taskRuns@2025-03-01-preview",
}
_REQUIRED, _READ_ONLY = 1, 2
_LIMITS = ("minLength", "maxLength", "minValue", "maxValue")
_PRIMITIVES = {
    "AnyType": "any",
    "BooleanType": "bool",
    "IntegerType": "int",
    "NullType": "null",
    "StringType": "string",
}

Described = dict[str, Any]


def used_types(files: list[Path]) -> list[str]:
    """The resource types in Bicep files and requests, with their versions."""
    resource = re.compile(r"^resource \w+ '([^']+)'", re.MULTILINE)
    found = {match for file in files for match in resource.findall(file.read_text())}
    return sorted(found | OF_REQUESTS)


def published(clone: Path, reference: str) -> list[Described]:
    """The file of the clone that describes a resource type, as a list whose entries name one another by their place.

    Raises:
        LookupError: Microsoft publishes no such type in that version.
    """
    provider, version = reference.split("/", maxsplit=1)[0].lower(), reference.split("@")[1]
    git = ["git", "-C", str(clone)]
    listed = subprocess.run(  # noqa: S603 - fixed words and a folder of the caller's
        [*git, "ls-tree", "-r", "--name-only", "HEAD", "generated"], capture_output=True, check=True, text=True
    ).stdout.splitlines()
    for path in listed:
        if path.endswith(f"/{provider}/{version}/types.json"):
            shown = subprocess.run([*git, "show", f"HEAD:{path}"], capture_output=True, check=True)  # noqa: S603 - as above
            types: list[Described] = json.loads(shown.stdout)
            if any(one["$type"] == "ResourceType" and one["name"].lower() == reference.lower() for one in types):
                return types
    raise LookupError(f"bicep-types-az has no {reference}.")


class _Reader:
    """Reads one published file; objects are named as there, with their place added where a name stands twice."""

    def __init__(self, types: list[Described]) -> None:
        self._types = types
        objects = [one.get("name") for one in types if one["$type"] in {"ObjectType", "DiscriminatedObjectType"}]
        self._ambiguous = {name for name in objects if objects.count(name) > 1}
        self.places: dict[str, int] = {}

    def place(self, reference: Described) -> int:
        return int(reference["$ref"].removeprefix("#/"))

    def expression(self, place: int) -> str:
        """A type as the checker's files write it: `string`, `Name`, `Name[]`, `(A | B)[]`, `on | off | string`."""
        one = self._types[place]
        match one["$type"]:
            case "StringLiteralType":
                return str(one["value"])
            case "ArrayType":
                item = self.expression(self.place(one["itemType"]))
                return f"({item})[]" if " | " in item else f"{item}[]"
            case "UnionType":
                return " | ".join(self.expression(self.place(option)) for option in one["elements"])
            case "ObjectType" | "DiscriminatedObjectType":
                name = f"{one['name']}#{place}" if one["name"] in self._ambiguous else str(one["name"])
                self.places[name] = place
                return name
            case primitive:
                return _PRIMITIVES[primitive]

    def properties(self, described: Described) -> Described:
        found: Described = {}
        for name, property_ in described.items():
            place = self.place(property_["type"])
            entry: Described = {"type": self.expression(place)}
            if property_["flags"] & _REQUIRED:
                entry["required"] = True
            if property_["flags"] & _READ_ONLY:
                entry["readOnly"] = True
            entry |= {limit: self._types[place][limit] for limit in _LIMITS if limit in self._types[place]}
            found[name] = entry
        return found

    def body(self, place: int) -> Described:
        one = self._types[place]
        if one["$type"] == "DiscriminatedObjectType":
            return {
                "discriminator": one["discriminator"],
                "properties": self.properties(one["baseProperties"]),
                "alternatives": {
                    value: self.properties(self._types[self.place(reference)]["properties"])
                    for value, reference in one["elements"].items()
                },
            }
        body: Described = {"properties": self.properties(one["properties"])}
        if "additionalProperties" in one:
            body["additional"] = self.expression(self.place(one["additionalProperties"]))
        return body


def _named_in(expression: str) -> list[str]:
    return [name for name in re.split(r" \| |[()\[\]]", expression) if name]


def _entries(holder: Described) -> list[Described]:
    groups = [holder["properties"], *holder.get("alternatives", {}).values()]
    return [entry for group in groups for entry in group.values()]


def condense(types: list[Described], reference: str) -> Described:
    """One resource, every type that can be written into it, and the read-only types directly on those.

    Types further inside what can only be read become `any`: Azure's network types name each other without end.
    """
    resource = next(one for one in types if one["$type"] == "ResourceType" and one["name"].lower() == reference.lower())
    reader = _Reader(types)
    body = reader.body(reader.place(resource["body"]))
    for group in [body["properties"], *body.get("alternatives", {}).values()]:
        for name in {"type", "apiVersion"} & set(group):
            group[name]["type"] = "string"
    written: Described = {}
    todo = [body]
    while todo:
        holder = todo.pop()
        expressions = [entry["type"] for entry in _entries(holder) if "readOnly" not in entry]
        for name in _named_in(" | ".join([*expressions, holder.get("additional", "")])):
            if name in reader.places and name not in written:
                written[name] = reader.body(reader.places[name])
                todo.append(written[name])
    entries = [entry for holder in [body, *written.values()] for entry in _entries(holder)]
    read = {name for entry in entries for name in _named_in(entry["type"]) if name in reader.places}
    kept = written | {name: reader.body(reader.places[name]) for name in sorted(read - set(written))}
    for entry in [entry for holder in kept.values() for entry in _entries(holder)]:
        if any(name in reader.places and name not in kept for name in _named_in(entry["type"])):
            entry["type"] = "any"
    return {"name": resource["name"], "body": body, "types": kept}


def main(clone: Path, files: list[Path]) -> None:
    used = used_types(files)
    wanted = {TARGET / f"{reference.split('@')[0].replace('/', '_')}.json": reference for reference in used}
    for stale in set(TARGET.glob("*.json")) - set(wanted):
        stale.unlink()
    for target, reference in wanted.items():
        condensed = condense(published(clone, reference), reference)
        target.write_text(json.dumps(condensed, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(file) for file in sys.argv[2:]])
