"""Every recorded pattern again on a whole host: HTTP endpoint, the SDK's client, worker, durable extension, the app.

What the app's orchestrators are given, and how each instance stands in the end, must be what was recorded.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.host.durable.model import events
from local.host.testing import InProcessHost
from tests.conformance.live import Contexts, Player
from tests.conformance.outside import outside
from tests.conformance.ticking import TickingClock

HERE = Path(__file__).parent
APP = HERE.parent / "apps" / "patterns"
# What ran at the same time may have ended in another order, or in fewer batches: compared as sets of events.
CONCURRENT = {"p_fan", "p_any_loop", "p_nested", "p_all_fail", "p_two_events"}
Live = tuple[InProcessHost, Contexts]


def recorded_runs() -> dict[str, list[dict[str, Any]]]:
    """Episodes of all that a client started under an id made by the server; other requests are the exchanges'."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for line in (HERE / "golden" / "orchestrator.jsonl").read_text().splitlines():
        one = json.loads(line)
        runs.setdefault(one["instanceId"], []).append(one)
    return {name: episodes for name, episodes in runs.items() if len(name) == 32 and name.isalnum() and _new(episodes)}


def _new(episodes: list[dict[str, Any]]) -> bool:
    """Neither a restart, whose execution has another kind of id, nor what p_http got from the recording's own app."""
    started = episodes[0]["context"]["history"][1]
    return "-" in started["OrchestrationInstance"]["ExecutionId"] and started["Name"] != "p_http"


RUNS = recorded_runs()
RESULTS = json.loads((HERE / "golden" / "results.json").read_text())


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with pytest.MonkeyPatch.context() as monkeypatch, outside() as url:
        contexts = Contexts(monkeypatch)
        settings = {"PATTERNS_STATE": str(tmp_path_factory.mktemp("counts")), "PATTERNS_URL": url}
        with InProcessHost(APP, clock=TickingClock(), settings=settings) as app:
            yield app, contexts


def happened(context: dict[str, Any], mask: Callable[[Any], str]) -> list[str]:
    """What is in a history, whatever its order."""
    turns = {events.ORCHESTRATOR_STARTED, events.ORCHESTRATOR_COMPLETED}
    return sorted(mask({**one, "IsPlayed": None}) for one in context["history"] if one["EventType"] not in turns)


@pytest.mark.parametrize("recorded", RUNS, ids=[f"{one[0]['pattern']}-{name[:5]}" for name, one in RUNS.items()])
def test_recorded_run_on_a_whole_host(
    recorded: str, live: Live, mask: Callable[[Any], str], deviations: set[str]
) -> None:
    app, contexts = live
    episodes = RUNS[recorded]
    pattern = episodes[0]["pattern"]
    instance_id, found = Player(app).play(episodes)
    ours = json.loads(json.dumps(contexts.of(instance_id)).replace(instance_id, recorded))
    theirs = [one["context"] for one in episodes]
    if pattern in CONCURRENT:
        assert happened(ours[-1], mask) == happened(theirs[-1], mask)
    else:
        assert mask(ours) == mask(theirs)
    for result in (one for one in RESULTS if one["instanceId"] == recorded):
        early = pattern == "p_timer" and "timers-never-early" in deviations
        assert found.status == result["runtimeStatus"]
        assert mask(found.output) == mask(True if early else result["output"])
        assert found.custom_status == result["customStatus"]


def test_a_call_of_its_own_front_door(live: Live) -> None:
    app, _ = live
    [recorded] = [one["output"] for one in RESULTS if one["recorded"] == "p_http"]
    output = app.wait_for(app.start_orchestration("p_http")).output
    assert output["statusCode"] == recorded["statusCode"]
    seen, expected = json.loads(output["content"]), json.loads(recorded["content"])
    assert {name: seen[name] for name in ("route", "q", "m")} == {name: expected[name] for name in ("route", "q", "m")}


def test_a_big_result(live: Live) -> None:
    app, _ = live
    [recorded] = [one for one in RESULTS if one["recorded"] == "p_big"]
    found = app.wait_for(app.start_orchestration("p_big"))
    assert (found.status, found.output) == (recorded["runtimeStatus"], recorded["output"])


def test_every_recorded_result_is_compared() -> None:
    alone = {"p_http", "p_big", "x_http_async_off"}  # the last one's function is not of this SDK
    compared = {one["recorded"] for one in RESULTS if one["instanceId"] in RUNS}
    assert compared | alone == {one["recorded"] for one in RESULTS}
    assert (len(RUNS), len(RESULTS)) == (89, 78)
