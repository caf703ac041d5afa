"""The refreshing of the checker's types: what it keeps of the types that Microsoft publishes."""

import json
import subprocess
from typing import Any, cast

import pytest

from tests.present import present
from tools.azure_types import condense, published, used_types
from tools.bicep_check.types import AZURE_TYPES, AzureTypes, Choice, Constant, ListOf

REFERENCE = "Acme.Mail/boxes@2024-01-01"
PLAIN, REQUIRED, READ_ONLY = 0, 1, 2


def ref(place):
    return {"$ref": f"#/{place}"}


def of(place, flags=PLAIN):
    return {"type": ref(place), "flags": flags}


PUBLISHED = [
    {"$type": "StringType", "minLength": 3, "pattern": "^[a-z]+$"},
    {"$type": "StringLiteralType", "value": "Acme.Mail/boxes"},
    {"$type": "StringType"},
    {"$type": "IntegerType", "maxValue": 9},
    {"$type": "BooleanType"},
    {
        "$type": "ObjectType",
        "name": "Acme.Mail/boxes",
        "properties": {
            "name": of(0, REQUIRED),
            "type": of(1, READ_ONLY),
            "state": of(6, READ_ONLY),
            "rules": of(12),
            "level": of(15),
            "tags": of(16),
            "labels": of(17),
        },
    },
    {"$type": "ObjectType", "name": "State", "properties": {"owner": of(7), "size": of(3)}},
    {"$type": "ObjectType", "name": "Owner", "properties": {"friend": of(7)}},
    {"$type": "ObjectType", "name": "Sort", "properties": {"by": of(2, REQUIRED)}, "additionalProperties": ref(3)},
    {
        "$type": "DiscriminatedObjectType",
        "name": "Drop",
        "discriminator": "kind",
        "baseProperties": {"quiet": of(4)},
        "elements": {"Old": ref(10), "All": ref(18)},
    },
    {"$type": "ObjectType", "name": "DropOld", "properties": {"kind": of(2, REQUIRED), "days": of(3)}},
    {"$type": "UnionType", "elements": [ref(8), ref(9)]},
    {"$type": "ArrayType", "itemType": ref(11)},
    {"$type": "StringLiteralType", "value": "low"},
    {"$type": "StringLiteralType", "value": "high"},
    {"$type": "UnionType", "elements": [ref(13), ref(14), ref(2)]},
    {"$type": "ObjectType", "name": "Tags", "properties": {}, "additionalProperties": ref(2)},
    {"$type": "ObjectType", "name": "Tags", "properties": {"first": of(2)}},
    {"$type": "ObjectType", "name": "DropAll", "properties": {"kind": of(2, REQUIRED)}},
    {"$type": "ResourceType", "name": REFERENCE, "body": ref(5)},
]


def test_what_can_be_written_is_kept_whole_and_what_is_read_one_deep(tmp_path):
    condensed = condense(PUBLISHED, REFERENCE)
    (tmp_path / "boxes.json").write_text(json.dumps(condensed))
    assert set(condensed["types"]) == {"State", "Sort", "Drop", "Tags#16", "Tags#17"}
    assert condensed["types"]["State"]["properties"]["owner"] == {"type": "any"}

    body: Any = present(AzureTypes(tmp_path).resource("acme.mail/BOXES@2024-01-01")).body
    assert (body.properties["name"].required, body.properties["name"].minimum) == (True, 3)
    assert str(body.properties["type"].type) == "string"
    assert body.properties["state"].read_only
    assert body.properties["level"].type.options[0] == Constant("low")
    assert body.properties["tags"].type.properties == {}
    assert set(body.properties["labels"].type.properties) == {"first"}
    rules = body.properties["rules"].type
    assert isinstance(rules, ListOf)
    assert isinstance(rules.item, Choice)
    sort, drop = cast("tuple[Any, Any]", rules.item.options)
    assert str(sort.additional) == "int"
    assert set(drop.alternatives) == {"Old", "All"}
    assert drop.alternatives["Old"]["days"].maximum == 9


def test_types_are_found_in_a_clone_by_their_provider_and_version(tmp_path):
    file = tmp_path / "generated/mail_0/acme.mail/2024-01-01/types.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(PUBLISHED))
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "types"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True)
    assert published(tmp_path, REFERENCE) == PUBLISHED
    for missing in ("Acme.Mail/boxes@2025-01-01", "Acme.Mail/letters@2024-01-01"):
        with pytest.raises(LookupError, match=missing):
            published(tmp_path, missing)


def test_the_files_are_those_of_the_types_in_use_in_their_versions(root):
    used = used_types(list((root / "infra/bicep").glob("*.bicep")))
    kept = {json.loads(file.read_text())["name"] for file in AZURE_TYPES.glob("*.json")}
    assert {name.lower() for name in kept} == {name.lower() for name in used}
