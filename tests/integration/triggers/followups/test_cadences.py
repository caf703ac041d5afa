"""The cadence is data that agents and operators change; what was planned stays."""

import asyncio

import pytest

OWN = [
    {"followup_type": "Hello", "days": 0, "priority": "high"},
    {"followup_type": "Spring letter", "days": 120, "priority": "low"},
]


def names(cadence):
    return [step["followup_type"] for step in cadence["steps"]]


async def planned(web, client):
    return [one["followup_type"] for one in await web("GET", f"/api/clients/{client['id']}/tasks")]


async def test_an_agent_has_a_cadence_of_its_own_and_gives_it_up(web):
    await web.register()
    before = await web.client("a@example.com")
    everybodys = await web("GET", "/api/cadence")
    assert (everybodys["own"], names(everybodys)) == (False, ["Day 1", "Day 3", "Week 1", "Week 2", "Month 1"])
    changed = await web("PUT", "/api/cadence", {"steps": OWN[::-1]})
    assert (changed["own"], names(changed)) == (True, ["Hello", "Spring letter"])
    assert await planned(web, await web.client("b@example.com")) == ["Hello", "Spring letter"]
    assert len(await planned(web, before)) == 5
    await web("PUT", "/api/cadence", {"steps": OWN[:1]})
    assert names(await web("GET", "/api/cadence")) == ["Hello"]
    assert await web("DELETE", "/api/cadence") == everybodys
    assert await web("DELETE", "/api/cadence") == everybodys
    await web("PUT", "/api/cadence", {"steps": OWN})
    await web.register("other@example.com")
    assert await web("GET", "/api/cadence") == everybodys


async def test_the_operator_changes_everybodys_but_not_those_of_agents_with_their_own(web):
    await web.register()
    await web("PUT", "/api/cadence", {"steps": OWN})
    everybodys = {"steps": [{"followup_type": "Week 1", "days": 7}]}
    await web("PUT", "/api/followups/cadence", everybodys, status=401)
    changed = await web("PUT", "/api/followups/cadence", everybodys, admin=True)
    assert changed == await web("GET", "/api/followups/cadence", admin=True)
    assert (names(changed), changed["steps"][0]["priority"]) == (["Week 1"], "medium")
    assert len(names(await web("GET", "/api/cadence"))) == 2
    await web.register("other@example.com")
    assert await planned(web, await web.client("b@example.com")) == ["Week 1"]


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [OWN[0], OWN[0]],
        [{"followup_type": "Custom", "days": 1}],
        [{"followup_type": "", "days": 1}],
        [{"followup_type": "x\ny", "days": 1}],
        [{"followup_type": "x", "days": -1}],
        [{"followup_type": "x", "days": 3651}],
        [{"followup_type": "x", "days": 1, "priority": "urgent"}],
        [{"followup_type": f"x{number}", "days": 1} for number in range(51)],
    ],
)
async def test_a_cadence_that_cannot_be_used_changes_nothing(web, steps):
    await web.register()
    await web("PUT", "/api/cadence", {"steps": steps}, status=422)
    assert not (await web("GET", "/api/cadence"))["own"]


async def test_of_two_who_save_at_once_one_cadence_stands_whole(web):
    await web.register()
    saved = ([OWN[0]], [OWN[1]])
    await asyncio.gather(*(web("PUT", "/api/cadence", {"steps": steps}) for steps in saved))
    assert names(await web("GET", "/api/cadence")) in (["Hello"], ["Spring letter"])
