"""The alerts watch what runs, under the names it runs by."""

import ast
import re

import pytest

import function_app  # noqa: F401 - what is named is known once the app is loaded
from shared.platform.calls.arm import BUSY
from shared.platform.durable import ACTIVITIES, ORCHESTRATIONS, STEP_FAILED
from tests.present import present
from tests.unit.infra.plain import plain

# What must be told to a person: metric, wrong side, threshold, seconds looked at.
THRESHOLDS = {
    "worker-errors": ("GreaterThan", 5, "PT1H"),
    "consolidation-failures": ("GreaterThan", 1, "P1D"),
    "api-errors": ("GreaterThan", 1, "PT15M"),
    "watermark-age": ("LessThan", "feedCount", "P2D"),
    "deployments-failing": ("GreaterThan", 0, "PT1H"),
    "deployments-failed-share": ("GreaterThan", 25, "PT6H"),
    "deployments-slow": ("GreaterThan", 0, "PT1H"),
    "deployments-stuck": ("GreaterThan", 0, "PT1H"),
    "followups-unknown": ("GreaterThan", 0, "PT1H"),
    "followups-failing": ("GreaterThan", 5, "PT1H"),
}


@pytest.fixture(scope="session")
def queries(modules):
    return plain(modules["alerts"].named("queries").value)


def test_each_threshold_is_the_agreed_one(queries):
    assert {name: (q["operator"], q["threshold"], q["window"]) for name, q in queries.items()} == THRESHOLDS


def test_a_single_dead_letter_of_any_queue_is_told(modules):
    (criterion,) = plain(modules["alerts"].named("deadLetters").value)["properties"]["criteria"]["allOf"]
    assert criterion["metricName"] == "DeadletteredMessages"
    assert (criterion["operator"], criterion["threshold"]) == ("GreaterThan", 0)
    assert criterion["dimensions"] == [{"name": "EntityName", "operator": "Include", "values": ["*"]}]


def test_the_functions_that_queries_name_exist(queries):
    known = {*ACTIVITIES, *ORCHESTRATIONS}
    for query in invocations(queries):
        named = set(re.findall(r'"(\w+)"', query["query"]))
        assert named <= known
        assert named or "AppRequests | where isnotempty(Url)" in query["query"]


def invocations(queries):
    """The queries that look at functions; the others look at what the app has logged."""
    return [query for query in queries.values() if not query["query"].startswith("AppTraces")]


# Which module writes the log line that a query looks for, with the fields that it reads.
WRITTEN = {
    "A deployment has ended.": "activities/deploys/outcome.py",
    "A watermark has moved.": "activities/diamonds/runs.py",
    "A deployment is orphaned: its orchestration does not run.": "triggers/deploys/upkeep.py",
    "A deployment has ended and holds its slot.": "triggers/deploys/upkeep.py",
    "Nobody knows whether a mail was handed over.": "shared/followups/sending/settling.py",
}


def test_the_log_lines_that_queries_look_for_are_written_with_their_fields(queries, root):
    looked_for = set()
    for query in (one["query"] for one in queries.values() if one["query"].startswith("AppTraces")):
        lines = re.findall(r'"([A-Z][^"]+\.)"', query)
        looked_for |= set(lines)
        for line in lines:
            written = (root / WRITTEN[line]).read_text()
            assert f'"{line}"' in written
            assert all(f'"{field}":' in written for field in re.findall(r"Properties\.(\w+)", query))
    assert looked_for == set(WRITTEN)


@pytest.mark.parametrize("rule", ["worker-errors", "watermark-age", "followups-failing"])
def test_defect_the_host_s_own_spans_are_counted_as_the_app_s(queries, rule):
    """They count what failed for good as done, and each call twice."""
    query = queries[rule]["query"]
    assert "union" not in query
    assert query.startswith(("AppDependencies | where tostring(Properties.step) ==", "AppTraces"))


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (code, True)
        for code in (
            "azure-forbidden",
            "azure-refused",
            "vault-refused",
            "registry-not-found",
            "builds-not-allowed",
            "no-slot",
            "step-failed",
        )
    ]
    + [
        (code, False)
        for code in ("build-failed", "revision-unhealthy", "source-not-found", "domain-not-verified", "git-slow")
    ],
)
def test_of_failed_deployments_those_are_told_that_their_owner_cannot_mend(queries, code, told):
    pattern = present(re.search(r'matches regex "([^"]+)"', queries["deployments-failing"]["query"]))[1]
    assert bool(re.search(pattern, code)) == told


AWAY = (
    "shared/deploys/secrets.py",
    "shared/deploys/running",
    "shared/deploys/platforms/azure",
    "shared/platform/calls/arm.py",
    "shared/platform/stores/blobs.py",
    "shared/platform/stores/cosmos.py",
)
"""Where the steps of a deployment in Azure find that a service of the operator's does not do its part."""


def test_defect_services_that_stay_away_from_a_deployment_are_told_under_their_codes(queries, root):
    pattern = present(re.search(r'matches regex "([^"]+)"', queries["deployments-failing"]["query"]))[1]
    table = (root / "docs/deploys.md").read_text().partition("## When something goes wrong")[2]
    paths = [path for place in AWAY for path in [root / place, *(root / place).rglob("*.py")] if path.is_file()]
    codes = {BUSY, STEP_FAILED, *(code for path in paths for code in transient_codes(path))}
    assert len(codes) > 8
    assert [code for code in codes if not re.search(pattern, code)] == []
    assert [code for code in codes if f"`{code}`" not in table] == []


def transient_codes(path):
    """The codes that are written where a TransientError is made."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "TransientError":
            values = (one.value for one in node.keywords if one.arg == "code")
            yield from (str(value.value) for value in values if isinstance(value, ast.Constant))


def test_every_query_answers_the_column_that_the_rule_measures(modules, queries):
    (criterion,) = plain(modules["alerts"].named("queryAlerts").value)["properties"]["criteria"]["allOf"]
    assert criterion["metricMeasureColumn"] == "Value"
    for query in queries.values():
        assert re.search(r"summarize .*Value = |extend Value = ", query["query"])
        # Without a row the rule sees nothing: a query has to answer 0 where nothing ran.
        assert " by " not in query["query"]


def test_every_alert_reaches_the_operators_and_says_what_to_do(modules, queries):
    for name in ("queryAlerts", "deadLetters", "databaseFull"):
        properties = plain(modules["alerts"].named(name).value)["properties"]
        assert "actionGroupId" in str(properties["actions"])
        assert properties["description"]
    assert all(query["remedy"].endswith(".") for query in queries.values())
