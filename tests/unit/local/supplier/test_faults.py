"""Every fault strikes when it is on, strikes the same requests again, and is gone when it is off."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from local.supplier.faults import Fault, FaultName, Faults, FaultSettings, parse
from local.supplier.traffic import Traffic

COUNT = "{ diamonds_by_query_count }"


def settings(seed=1, **faults):
    return FaultSettings.model_validate({"seed": seed, "faults": faults})


async def _read_all(client):
    offset, seen, sizes = 0, [], []
    while items := (await client.page(offset))["items"]:
        seen += [i["id"] for i in items]
        sizes.append(len(items))
        offset += len(items)
    return seen, sizes


async def test_short_pages_lose_nothing_to_who_reads_to_the_empty_page(connect):
    async with connect(400, faults=settings(short_pages={"probability": 0.6})) as client:
        seen, sizes = await _read_all(client)
    assert len(seen) == len(set(seen)) == 400
    assert min(sizes[:-1]) < 50
    async with connect(400, faults=settings(short_pages={"probability": 0.6})) as client:
        assert (await _read_all(client))[1] == sizes


async def test_total_count_becomes_what_remains(connect):
    async with connect(400, faults=settings(total_count={"probability": 1})) as client:
        assert (await client.page(100))["total_count"] == 300
        assert await client.count() == 400


async def test_errors_come_with_200_and_go_when_asked_again(connect):
    async with connect(10, faults=settings(errors={"probability": 0.5})) as client:
        answers = [(await client.post(COUNT)) for _ in range(40)]
    assert {a.status_code for a in answers} == {200}
    failed = [a.json() for a in answers if "errors" in a.json()]
    assert 5 < len(failed) < 35
    assert failed[0] == {
        "data": None,
        "errors": [{"message": "Internal server error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}],
    }


async def test_throttling_says_when_to_come_back(connect):
    async with connect(10) as client:
        client.supplier.faults.set(settings(throttle={"probability": 1, "seconds": 3}))
        response = await client.post(COUNT)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "3")


async def test_server_errors_are_not_json(connect):
    async with connect(10) as client:
        client.supplier.faults.set(settings(server_error={"probability": 1}))
        response = await client.post(COUNT)
    assert response.status_code == 500
    assert response.headers["Content-Type"].startswith("text/plain")


async def test_a_token_expires_at_once_and_a_new_one_helps(connect):
    async with connect(10, faults=settings(expired_token={"probability": 0.5})) as client:
        for _ in range(30):
            response = await client.post(COUNT)
            if "errors" in response.json():
                assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
                assert "UNAUTHENTICATED" in (await client.post(COUNT)).text
                break
        client.supplier.faults.set(FaultSettings())
        await client.login()
        assert await client.count() == 10


async def test_slow_answers_come_late(connect, monkeypatch):
    delays = []

    async def sleep(seconds):
        delays.append(seconds)

    monkeypatch.setattr("local.supplier.app.asyncio.sleep", sleep)
    async with connect(10, latency_seconds=0.02) as client:
        client.supplier.faults.set(settings(slow={"probability": 1, "seconds": 7}))
        await client.count()
    assert delays == [0.02, 7.02]


async def test_unmappable_stones_stay_unmappable(connect):
    fields = "id diamond { certificate { carats shape } }"
    async with connect(50, faults=settings(unmappable={"probability": 0.2})) as client:
        first = (await client.page(fields=fields))["items"]
        assert (await client.page(fields=fields))["items"] == first
    broken = [i for i in first if i["diamond"]["certificate"]["carats"] is None]
    assert 2 < len(broken) < 25


async def test_stock_changes_while_it_is_read(connect):
    async with connect(200, faults=settings(changes={"probability": 1})) as client:
        before = client.supplier.catalogue.page([], "none", False, 0, 300)[0]
        for offset in range(0, 200, 10):
            await client.page(offset)
        after = client.supplier.catalogue.page([], "none", False, 0, 300)[0]
    old, new = {r.n: r for r in before}, {r.n: r for r in after}
    assert new.keys() - old.keys()
    assert old.keys() - new.keys()
    assert [n for n in new.keys() & old.keys() if new[n].price != old[n].price and new[n].updated > old[n].updated]


async def test_changes_on_demand_are_dated_now(connect):
    async with connect(300) as client:
        last = max(r.updated for r in client.supplier.catalogue.page([], "none", False, 0, 300)[0])
        answer = await client.http.post("/_control/changes", json={"reprice": 10, "add": 5, "remove": 20})
        assert answer.json() == {"diamonds": 285}
        rows = client.supplier.catalogue.page([], "none", False, 0, 300)[0]
    assert 13 <= sum(r.updated > last for r in rows) <= 15


async def test_faults_are_set_while_it_runs_and_counted(connect):
    async with connect(10) as client:
        on = {"seed": 4, "faults": {"errors": {"probability": 1}}}
        assert (await client.http.post("/_control/faults", json=on)).status_code == 200
        assert (await client.http.get("/_control/faults")).json()["faults"] == {
            "errors": {"probability": 1, "seconds": 1}
        }
        await client.post(COUNT)
        stats = (await client.http.get("/_control/stats")).json()
        assert stats["faults_struck"] == {"errors": 1}
        assert stats["by_operation"] == {"authenticate": 1, "diamonds_by_query_count": 1}
        await client.http.post("/_control/faults", json={})
        assert await client.count() == 10
        assert (await client.http.delete("/_control/stats")).json()["requests"] == 0
        refused = await client.http.post("/_control/faults", json={"faults": {"explode": {}}})
        assert refused.status_code == 400
        assert "short_pages" in refused.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"query": 1}', b'{"query": "{ x }" ' + b" " * (1 << 20) + b"}"])
async def test_bodies_that_are_no_request_are_refused(connect, body):
    async with connect(10) as client:
        response = await client.http.post("/graphql", content=body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["message"]


async def test_the_account_limit_holds_over_any_second(connect):
    async with connect(10, rate_limit=5) as client:
        answers = [(await client.post(COUNT)) for _ in range(8)]
        stats = (await client.http.get("/_control/stats")).json()
    # The login was the first request of this second.
    assert [a.status_code for a in answers] == [200] * 4 + [429] * 4
    assert answers[-1].headers["Retry-After"] == "1"
    assert (stats["requests"], stats["refused"], stats["peak_per_second"]) == (9, 4, 9)


@example([0.09455650373795035, 0.5, 0.5], 1)  # a second by one sum, a little less by another
@given(st.lists(st.floats(0, 0.5), max_size=80), st.integers(1, 10))
def test_no_second_ever_holds_more_than_the_limit(gaps, limit):
    now, admitted = 0.0, []
    traffic = Traffic(limit, clock=lambda: now)
    for gap in gaps:
        now += gap
        if traffic.arrive() == 0:
            admitted.append(now)
    for start in admitted:
        assert sum(start <= moment < start + 1 for moment in admitted) <= limit
    assert traffic.total == len(gaps) == len(admitted) + traffic.refused


@given(st.text(), st.integers(), st.floats(0, 1))
def test_a_fault_follows_from_the_question_and_not_from_the_others(asked, seed, probability):
    def faults(others):
        faults = Faults(settings(seed, errors={"probability": probability}))
        for other in others:
            faults.number(other)
        return [bool(faults.strikes(FaultName.ERRORS, faults.number(asked))) for _ in range(5)]

    assert faults([]) == faults([asked + "x", asked + "y"])


def test_flags():
    assert parse("throttle:0.25:4") == (FaultName.THROTTLE, Fault(probability=0.25, seconds=4))
    assert parse("errors") == (FaultName.ERRORS, Fault())
    for wrong in ("explode", "errors:2", "errors:often"):
        with pytest.raises(ValueError):
            parse(wrong)
