"""The queues as Azure's resource manager tells them."""

import httpx
import pytest

from local.servicebus.testing import ServiceBusProcess

VERSION = {"api-version": "2024-01-01"}
TOKEN = {"Authorization": "Bearer none"}


def test_every_queue_is_listed_with_its_counts(bus: ServiceBusProcess, mailbox):
    mailbox("letters").send("one", "two")
    listed = httpx.get(f"{bus.resource}/queues", params=VERSION, headers=TOKEN).json()["value"]
    (letters,) = [queue for queue in listed if queue["name"] == "letters"]
    assert letters["id"].endswith("/namespaces/local/queues/letters")
    assert letters["properties"]["messageCount"] == 2
    assert letters["properties"]["countDetails"] == {
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
