"""What operators are shown of the queues, and what the service says of itself."""

import json

import pytest

from shared.platform.durable import InstancePage
from shared.platform.health import StatusField
from shared.platform.messaging import dead_letters, queue_figures, servicebus
from shared.platform.messaging.dead_letters import DeadLetter, Resubmitted
from shared.platform.workload import Workload
from tests.hostless import Hostless
from triggers.operations import queues
from triggers.operations.queues import routes


@pytest.fixture(autouse=True)
def _queues(monkeypatch):
    monkeypatch.setattr(servicebus, "known_queues", lambda: ["deployments"])


def dead_letter(number):
    return DeadLetter(
        sequence_number=number,
        message_id=str(number),
        correlation_id=None,
        enqueued_at=None,
        deliveries=1,
        reason=None,
        description=None,
        size=2,
        body="{}",
        properties={},
    )


@pytest.mark.parametrize("path", ["/ops/queues/strange/dead-letters", "/ops/queues/strange/dead-letters/resubmit"])
async def test_a_queue_that_is_not_the_app_s_is_not_looked_for(ask, admin, path):
    method, body = ("POST", {"all": True}) if path.endswith("resubmit") else ("GET", None)
    answer = await ask(routes, method, path, headers=admin, body=body)
    assert answer.status_code == 404


async def test_a_full_page_of_dead_letters_names_the_next(ask, admin, monkeypatch):
    asked = []

    async def read(queue, *, limit, first):
        asked.append((queue, limit, first))
        return [dead_letter(first + place) for place in range(2 if first == 0 else 1)]

    monkeypatch.setattr(dead_letters, "read_dead_letters", read)
    url = "/ops/queues/deployments/dead-letters?limit=2"
    first = json.loads((await ask(routes, "GET", url, headers=admin)).get_body())
    cursor = first["pagination"]["next"]
    last = json.loads((await ask(routes, "GET", f"{url}&cursor={cursor}", headers=admin)).get_body())
    assert asked == [("deployments", 2, 0), ("deployments", 2, 2)]
    assert (len(last["data"]), last["pagination"]["next"]) == (1, None)


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        ({"all": True}, None),
        ({"sequence_numbers": [3, 1]}, [3, 1]),
        ({"all": False}, "refused"),
        ({}, "refused"),
        ({"sequence_numbers": []}, "refused"),
        ({"sequence_numbers": [0]}, "refused"),
    ],
)
async def test_all_or_the_named_dead_letters_are_put_back(ask, admin, monkeypatch, body, numbers):
    asked = []

    async def resubmit(queue, sequence_numbers):
        asked.append((queue, sequence_numbers))
        return Resubmitted(resubmitted=[1], missing=[3])

    monkeypatch.setattr(dead_letters, "resubmit", resubmit)
    answer = await ask(routes, "POST", "/ops/queues/deployments/dead-letters/resubmit", headers=admin, body=body)
    if numbers == "refused":
        assert (answer.status_code, asked) == (400, [])
    else:
        assert json.loads(answer.get_body()) == {"resubmitted": [1], "missing": [3]}
        assert asked == [("deployments", numbers)]


async def test_the_status_has_the_fields_of_every_workload(ask, admin, monkeypatch):
    async def feeds():
        return {"nivoda": "completed"}

    async def figures():
        return []

    class Client(Hostless):
        async def page(self, **_):
            return InstancePage(instances=[], continuation="more")

    loaded = (Workload(name="a"), Workload(name="b", status=(StatusField("feeds", feeds),)))
    monkeypatch.setattr(queues, "workloads", lambda: loaded)
    monkeypatch.setattr(queue_figures, "all_figures", figures)
    answer = json.loads((await ask(routes, "GET", "/status", client=Client(), headers=admin)).get_body())
    assert (answer["feeds"], answer["running"], answer["more"]) == ({"nivoda": "completed"}, {}, True)
    assert (await ask(routes, "GET", "/status", client=Client())).status_code == 401
