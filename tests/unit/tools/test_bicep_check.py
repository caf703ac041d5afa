import json
from pathlib import Path

import pytest

from tools.bicep_check.__main__ import main
from tools.bicep_check.check import check_file
from tools.bicep_check.types import AzureTypes

AZURE = AzureTypes()

QUEUE = """
resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: 'sb-manifold'
  location: 'westeurope'
  sku: {
    name: 'Standard'
  }
}

resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: 'deployments'
  properties: {
    maxDeliveryCount: 3
    lockDuration: 'PT5M'
  }
}
"""
CALLED = """
param name string
@minValue(1)
param count int = 1

output shout string = '${name}${count}'
"""
ALERT = """
resource alert 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'alert'
  location: 'global'
  properties: {
    enabled: true
    severity: 2
    scopes: []
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: []
    }
  }
}
"""


@pytest.fixture
def codes(tmp_path: Path):
    """Check a text as a file and give the codes of what is wrong with it, with the messages."""
    (tmp_path / "called.bicep").write_text(CALLED)

    def check(text: str) -> dict[str, str]:
        file = tmp_path / "main.bicep"
        file.write_text(text)
        # A file of its own each time: files are read once.
        file = file.rename(tmp_path / f"{abs(hash(text))}.bicep")
        return {finding.code: finding.message for finding in check_file(file, AZURE)}

    return check


def test_the_projects_own_modules_have_nothing_wrong(root, modules):
    found = {name: check_file(root / f"infra/bicep/{name}.bicep", AZURE) for name in modules}
    assert {name: findings for name, findings in found.items() if findings} == {}


def test_every_resource_that_is_used_has_types(modules):
    used = {d.subject for module in modules.values() for d in module.declarations if d.kind == "resource"}
    assert len(used) > 30
    assert [reference for reference in used if AZURE.resource(reference) is None] == []


@pytest.mark.parametrize("text", [QUEUE, CALLED, ALERT])
def test_what_is_right_is_left_alone(codes, text):
    assert codes(text) == {}


@pytest.mark.parametrize(
    ("right", "wrong", "code", "expected"),
    [
        ("maxDeliveryCount", "maxDeliveryCounts", "BCP037", "Did you mean 'maxDeliveryCount'?"),
        ("maxDeliveryCount: 3", "maxDeliveryCount: 'three'", "BCP036", "expects int, not 'three'"),
        ("'Standard'", "'Gratis'", "BCP036", "'Basic' | 'Standard' | 'Premium', not 'Gratis'"),
        ("  location: 'westeurope'\n", "", "BCP035", "lacks location"),
        ("    lockDuration: 'PT5M'", "    createdAt: 'now'", "BCP073", "can only be read"),
        ("    lockDuration", "    maxDeliveryCount: 3\n    lockDuration", "BCP025", "given twice"),
        ("'PT5M'", "namespace.nam", "BCP053", "Did you mean 'name'?"),
        ("'PT5M'", "namespace.name.length", "BCP055", "cannot be read"),
        ("'PT5M'", "lock", "BCP057", "'lock' does not exist"),
        ("'PT5M'", "concatt('P', 'T5M')", "BCP057", "Did you mean 'concat'?"),
        ("queues@2024-01-01", "queues@2017-04-01", "BCP081", "known is version 2024-01-01"),
        ("namespaces/queues@", "namespaces/tubes@", "BCP081", "tools/azure_types.py"),
        ("resource queue", "resource namespace", "BCP028", "declared twice"),
        ("    lockDuration: 'PT5M'", "    lockDuration 'PT5M'", "syntax", "lockDuration"),
        ("'deployments'", "''", "BCP332", "has 0 characters; the least allowed is 1"),
    ],
)
def test_what_the_compiler_would_refuse_is_found(codes, right, wrong, code, expected):
    assert right in QUEUE
    found = codes(QUEUE.replace(right, wrong, 1))
    assert expected in found[code]


@pytest.mark.parametrize(
    ("right", "wrong", "code"),
    [
        ("SingleResourceMultiple", "SingleRessource", "BCP036"),
        ("      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'\n", "", "BCP078"),
        ("allOf: []", "allOff: []", "BCP037"),
        ("allOf: []", "allOf: [\n        {\n          name: 'x'\n        }\n      ]", "BCP035"),
    ],
)
def test_the_kind_of_an_object_decides_what_it_may_hold(codes, right, wrong, code):
    assert code in codes(ALERT.replace(right, wrong, 1))


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("name: 'a'\n  params: {\n    name: 'x'\n    count: 2\n  }", None),
        ("name: 'a'\n  params: {\n    count: 2\n  }", "BCP035"),
        ("name: 'a'", "BCP035"),
        ("name: 'a'\n  params: {\n    name: 'x'\n    counts: 2\n  }", "BCP037"),
        ("name: 'a'\n  params: {\n    name: 3\n  }", "BCP036"),
        ("name: 'a'\n  params: {\n    name: 'x'\n    count: 0\n  }", "BCP332"),
    ],
)
def test_a_module_is_called_with_the_parameters_it_has(codes, call, code):
    assert set(codes(f"module called 'called.bicep' = {{\n  {call}\n}}\n")) == ({code} if code else set())


def test_a_module_gives_only_its_outputs(codes):
    call = "module called 'called.bicep' = {\n  name: 'a'\n  params: {\n    name: 'x'\n  }\n}\n"
    assert codes(f"{call}output said string = called.outputs.shout\n") == {}
    assert "has no 'whisper'; it has shout" in codes(f"{call}output said string = called.outputs.whisper\n")["BCP053"]
    assert "BCP053" in codes(f"{call}output said string = called.properties\n")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("module gone 'gone.bicep' = {\n  name: 'a'\n}\n", "BCP091"),
        ("param size string = 3\noutput out string = size\n", "BCP036"),
        ("@allowed([\n  'a'\n])\nparam kind string = 'b'\noutput out string = kind\n", "BCP027"),
        ("param unused string\n", "no-unused-parameters"),
        ("var unused = 1\n", "no-unused-variables"),
        ("@secure()\nparam key string\noutput out string = key\n", "outputs-should-not-contain-secrets"),
        ("@secure()\nparam key string = 'unset'\noutput out int = length(key)\n", "secure-parameter-default"),
        ("param apiSecret string\noutput out int = length(apiSecret)\n", "secure-secrets-in-params"),
        ("param at string\noutput passwordUri string = at\n", "outputs-should-not-contain-secrets"),
        ("@secret()\nparam key string\noutput out int = length(key)\n", "BCP057"),
        ("param names string[]\noutput out int = length(names)\n", "BCP302"),
        ("func twice(a int) int => a * 2\n", "subset"),
        ("type size = 'S' | 'L'\n", "subset"),
        ("var twice = map([\n  1\n], n => n * 2)\noutput out array = twice\n", "subset"),
        ("output all array = [for n in [\n  1\n]: n + m]\n", "BCP057"),
    ],
)
def test_statements_are_checked_too(codes, text, code):
    assert code in codes(text)


def test_names_of_a_loop_hold_inside_it_only(codes):
    loop = "[for (name, index) in [\n  'a'\n]: '${name}${index}']"
    assert codes(f"output names array = {loop}\n") == {}
    assert "BCP057" in codes(f"output names array = {loop}\noutput last string = name\n")


def test_the_command_names_the_place_and_fails(tmp_path, capsys, monkeypatch):
    file = tmp_path / "wrong.bicep"
    file.write_text("output out string = name\n")
    monkeypatch.setattr("sys.argv", ["bicep_check", str(file)])
    assert main() == 1
    out = capsys.readouterr().out
    assert out == f"{file}:1:21: BCP057 The name 'name' does not exist here.\n1 files, 1 findings\n"


def test_the_compiler_s_linter_is_as_strict(root):
    """What it warns of is an error, so that the workflows fail on it."""
    core = json.loads((root / "infra/bicep/bicepconfig.json").read_text())["analyzers"]["core"]
    assert core["enabled"] is True
    assert {rule["level"] for rule in core["rules"].values()} == {"error"}
    ours = {"no-unused-params", "no-unused-vars", "outputs-should-not-contain-secrets", "secure-parameter-default"}
    assert ours <= set(core["rules"])
