"""What the client of the resource manager does with its answers."""

import logging
from dataclasses import dataclass, field

import httpx
import pytest

from shared.platform.calls.arm import BACKOFF, BUSY, OPERATION_FAILED, ResourceManager
from shared.platform.calls.retry import Time
from shared.platform.errors import NotFound, TerminalError, TransientError
from tests.present import present

BASE = "https://management.example"
PATH = "/subscriptions/s/resourceGroups/g/providers/P/things/one"


@dataclass
class Clock:
    now: float = 0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Azure:
    """A client whose requests are answered from a list, the last one again and again."""

    answers: list
    clock: Clock = field(default_factory=Clock)
    requests: list = field(default_factory=list)

    def client(self):
        async def token():
            return "a-token"

        timing = Time(now=lambda: self.clock.now, sleep=self.clock.sleep, jitter=lambda: 1.0)
        return ResourceManager(BASE, token=token, transport=httpx.MockTransport(self._answer), timing=timing)

    def _answer(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def refusal(status, code="Code", message="said", **headers):
    body = {"error": {"code": code, "message": message}}
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def test_a_request_names_its_version_and_shows_the_token():
    azure = Azure([httpx.Response(200, json={"name": "one"})])
    assert await azure.client().find(PATH, "2025-01-01") == {"name": "one"}
    (request,) = azure.requests
    assert str(request.url) == f"{BASE}{PATH}?api-version=2025-01-01"
    assert request.headers["Authorization"] == "Bearer a-token"


async def test_what_is_not_there_is_none_to_find_and_no_error_to_delete():
    client = Azure([refusal(404)]).client()
    assert await client.find(PATH, "v") is None
    assert (await client.delete(PATH, "v")).operation is None
    with pytest.raises(NotFound):
        await client.post(f"{PATH}/act", "v")


async def test_throttling_is_waited_for_as_long_as_azure_asks():
    azure = Azure([refusal(429, Retry_After="17"), refusal(503, Retry_After="3"), httpx.Response(200, json={})])
    await azure.client().put(PATH, "v", {})
    assert azure.clock.slept == [17, 3]


async def test_a_wait_that_is_too_long_is_left_to_others():
    azure = Azure([refusal(429, Retry_After="3600")])
    with pytest.raises(TransientError) as failure:
        await azure.client().put(PATH, "v", {})
    assert (failure.value.retry_after, azure.clock.slept) == (3600, [])


async def test_delays_grow_and_end():
    azure = Azure([httpx.ConnectError("no")])
    with pytest.raises(TransientError) as failure:
        await azure.client().find(PATH, "v")
    assert failure.value.code == "azure-unavailable"
    assert azure.clock.slept[:5] == [1, 2, 4, 8, 15]
    assert sum(azure.clock.slept) < BACKOFF.limit


@pytest.mark.parametrize("code", ["ContainerAppOperationInProgress", "ConflictingConcurrentWriteNotAllowed"])
async def test_a_resource_that_is_being_changed_is_waited_for(code):
    azure = Azure([refusal(409, code), httpx.Response(200, json={})])
    await azure.client().put(PATH, "v", {})
    assert len(azure.requests) == 2
    with pytest.raises(TransientError) as failure:
        await Azure([refusal(409, code)]).client().put(PATH, "v", {})
    assert failure.value.code == BUSY


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "azure-refused"), (409, "azure-refused"), (401, "azure-forbidden"), (403, "azure-forbidden")],
)
async def test_a_refusal_is_told_once_with_its_reason(status, code):
    azure = Azure([refusal(status, "Because", "of this")])
    with pytest.raises(TerminalError, match="Because: of this") as failure:
        await azure.client().put(PATH, "v", {})
    assert (failure.value.code, len(azure.requests)) == (code, 1)
    assert failure.value.remedy


async def test_an_answer_that_is_no_json_is_no_accident():
    with pytest.raises(TerminalError, match="400"):
        await Azure([httpx.Response(400, text="<html>")]).client().put(PATH, "v", {})


async def test_a_write_is_followed_by_its_operation():
    there = {"Azure-AsyncOperation": f"{BASE}/operations/1?t=signed"}
    azure = Azure(
        [
            httpx.Response(201, json={"name": "one"}, headers=there),
            httpx.Response(200, json={"status": "InProgress"}, headers={"Retry-After": "5"}),
            httpx.Response(200, json={"status": "Succeeded"}),
        ]
    )
    client = azure.client()
    answer = await client.put(PATH, "v", {})
    first, second = await client.poll(present(answer.operation)), await client.poll(present(answer.operation))
    assert (first.done, first.wait, second.done) == (False, 5, True)
    assert str(azure.requests[-1].url) == f"{BASE}/operations/1?t=signed"


async def test_a_deletion_is_followed_by_its_location():
    azure = Azure(
        [
            httpx.Response(202, headers={"Location": f"{BASE}/results/1"}),
            httpx.Response(202),
            httpx.Response(204),
        ]
    )
    client = azure.client()
    answer = await client.delete(PATH, "v")
    assert [(await client.poll(present(answer.operation))).done for _ in range(2)] == [False, True]


async def test_an_operation_that_is_forgotten_has_ended():
    assert (await Azure([refusal(404)]).client().poll(f"{BASE}/operations/1")).done


async def test_an_operation_that_failed_says_why():
    body = {"status": "Failed", "error": {"code": "C", "message": "the image is missing"}}
    with pytest.raises(TerminalError, match="the image is missing") as failure:
        await Azure([httpx.Response(200, json=body)]).client().poll(f"{BASE}/operations/1")
    assert failure.value.code == OPERATION_FAILED


async def test_the_token_goes_to_no_other_address():
    elsewhere = {"Azure-AsyncOperation": "https://elsewhere.example/operations/1"}
    azure = Azure([httpx.Response(201, json={}, headers=elsewhere)])
    with pytest.raises(TerminalError) as failure:
        await azure.client().put(PATH, "v", {})
    assert failure.value.code == "azure-foreign-address"
    azure = Azure([httpx.Response(200, json={"value": [], "nextLink": "https://elsewhere.example/next"})])
    with pytest.raises(TerminalError):
        await azure.client().list(PATH, "v")
    assert len(azure.requests) == 1


async def test_all_pages_of_a_list_are_read():
    azure = Azure(
        [
            httpx.Response(200, json={"value": [{"name": "a"}], "nextLink": f"{BASE}{PATH}?page=2"}),
            httpx.Response(200, json={"value": [{"name": "b"}]}),
        ]
    )
    assert [one["name"] for one in await azure.client().list(PATH, "v")] == ["a", "b"]


async def test_a_signed_address_is_in_no_error(caplog):
    caplog.set_level(logging.DEBUG, logger="shared")
    azure = Azure([httpx.ReadTimeout(f"{BASE}/operations/1?t=canary")])
    with pytest.raises(TransientError) as failure:
        await azure.client().poll(f"{BASE}/operations/1?t=canary")
    assert "canary" not in str(failure.value) + caplog.text
    assert failure.value.__cause__ is None
