"""The queues as Azure's resource manager tells them."""

import httpx
import pytest

from local.servicebus.testing import ServiceBusProcess

VERSION = {"api-version": "2024-01-01"}
TOKEN = {"Authorization": "Bearer none"}


def test_every_queue_is_listed_with_its_counts(bus: ServiceBusProcess, mailbox):
    mailbox("listed").send("one", "two")
    listed = httpx.get(f"{bus.resource}/queues", params=VERSION, headers=TOKEN).json()["value"]
    (queue,) = [one for one in listed if one["name"] == "listed"]
    assert queue["id"].endswith("/namespaces/local/queues/listed")
    assert queue["properties"]["messageCount"] == 2
    assert queue["properties"]["countDetails"] == {
        "activeMessageCount": 2, "deadLetterMessageCount": 0, "scheduledMessageCount": 0,
        "transferMessageCount": 0, "transferDeadLetterMessageCount": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("params", "headers", "status", "code"),
    [
        (VERSION, {}, 401, "AuthenticationFailed"),
        ({}, TOKEN, 400, "NoRegisteredProviderFound"),
        ({"api-version": "2017-04"}, TOKEN, 400, "NoRegisteredProviderFound"),
    ],
)
def test_what_azure_refuses_is_refused(bus: ServiceBusProcess, params, headers, status, code):
    answer = httpx.get(f"{bus.resource}/queues", params=params, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
