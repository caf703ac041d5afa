"""The refreshing of the checker's types: what it keeps of azmcp's answer."""

import json

from tools.azure_types import condense, used_types
from tools.bicep_check.types import AZURE_TYPES, AzureTypes, Choice, Constant, ListOf


def of(name, type_, flags="", modifiers=None):
    return {"name": name, "type": type_, "flags": flags, "modifiers": modifiers}


ANSWER = [
    {
        "$type": "Resource",
        "name": "Acme.Mail/boxes@2024-01-01",
        "bodyType": {
            "$type": "Object",
            "name": "Acme.Mail/boxes",
            "properties": [
                of("name", "Acme.Mail/boxes", "Required, DeployTimeConstant", "minLength: 3, pattern: ^[a-z]+$"),
                of("state", "State", "ReadOnly"),
                of("rules", "(Sort | Drop)[]"),
                of("level", "low | high | string"),
            ],
        },
    },
    {"$type": "ResourceInstanceFunction", "name": "listKeys"},
    {"$type": "Object", "name": "State", "properties": [of("owner", "Owner"), of("size", "int")]},
    {"$type": "Object", "name": "Owner", "properties": [of("friend", "Owner")]},
    {
        "$type": "Object",
        "name": "Sort",
        "properties": [of("by", "string", "Required")],
        "additionalPropertiesType": "int",
    },
    {
        "$type": "DiscriminatedObject",
        "name": "Drop",
        "discriminator": "kind",
        "baseProperties": [of("quiet", "bool")],
        "elements": [
            {"$type": "Object", "name": "DropOld", "properties": [of("kind", "Old", "Required"), of("days", "int")]},
            {"$type": "Object", "name": "DropAll", "properties": [of("kind", "All", "Required")]},
        ],
    },
]


def test_what_can_be_written_is_kept_whole_and_what_is_read_one_deep(tmp_path):
    condensed = condense(json.loads(json.dumps(ANSWER)))
    (tmp_path / "boxes.json").write_text(json.dumps(condensed))
    assert set(condensed["types"]) == {"State", "Sort", "Drop"}
    assert condensed["types"]["State"]["properties"]["owner"] == {"type": "any"}

    body = AzureTypes(tmp_path).resource("acme.mail/BOXES@2024-01-01").body
    assert (body.properties["name"].required, body.properties["name"].minimum) == (True, 3)
    assert str(body.properties["name"].type) == "string"
    assert body.properties["state"].read_only
    assert body.properties["level"].type.options[0] == Constant("low")
    rules = body.properties["rules"].type
    assert isinstance(rules, ListOf)
    assert isinstance(rules.item, Choice)
    sort, drop = rules.item.options
    assert str(sort.additional) == "int"
    assert set(drop.alternatives) == {"Old", "All"}
    assert set(drop.alternatives["Old"]) == {"kind", "days"}


def test_the_files_are_those_of_the_types_in_use(root):
    used = {name.replace("/", "_") for name in used_types(list((root / "infra/bicep").glob("*.bicep")))}
    by_hand = {"Microsoft.Insights_diagnosticSettings"}
    assert {file.stem for file in AZURE_TYPES.glob("*.json")} == used | by_hand
