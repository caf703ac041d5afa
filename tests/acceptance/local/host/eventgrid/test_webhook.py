import json
import time

import pytest
from azure.storage.blob import BlobServiceClient

from local.host.testing import InProcessHost

WEBHOOK = "/runtime/webhooks/eventgrid?functionName="


@pytest.fixture(scope="module")
def app(apps, storage_connection):
    with InProcessHost(apps / "eventgrid", settings={"Storage": storage_connection}) as host:
        yield host


def post(app, function, body, kind="Notification", **headers):
    sent = {"aeg-event-type": kind, "content-type": "application/json", **headers}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return app.request("POST", WEBHOOK + function, data, headers={name: one for name, one in sent.items() if one})


def event(number, data):
    return {
        "id": str(number), "topic": "t", "subject": f"s{number}", "eventType": "made", "data": data,
        "eventTime": "2026-05-01T10:00:00.0000000Z", "dataVersion": "1",
    }  # fmt: skip


def test_each_event_runs_the_function_once(app):
    assert post(app, "take", [event(1, {"a": 1}), event(2, "text"), event(3, None)]).status == 202
    assert 'took ["1", "made", "s1", {"a": 1}]' in app.log
    assert 'took ["2", "made", "s2", "text"]' in app.log
    assert 'took ["3", "made", "s3", null]' in app.log
    assert "Executing 'Functions.take' (Reason='EventGrid trigger fired at 2" in app.log


def test_an_event_of_the_cloudevents_schema(app, storage_connection):
    cloud = {"specversion": "1.0", "id": "c1", "source": "s", "type": "made", "data": {"name": "one"}}
    assert post(app, "keep", cloud).status == 202
    assert post(app, "keep", [{**cloud, "id": "c2", "data": {"name": "two"}}]).status == 202
    kept = BlobServiceClient.from_connection_string(storage_connection).get_container_client("events")
    assert json.loads(kept.download_blob("one.json").readall()) == ["c1", "made", {"name": "one"}]
    assert json.loads(kept.download_blob("two.json").readall()) == ["c2", "made", {"name": "two"}]


def test_one_failing_event_fails_the_delivery_and_the_others_run(app):
    answer = post(app, "take", [event(10, "fail"), event(11, "fine")])
    assert (answer.status, answer.body) == (500, b"Exception while executing function: Functions.take")
    assert 'took ["11", "made", "s11", "fine"]' in app.log


def test_the_handshake_of_event_grids_own_schema(app):
    asked = [{"id": "1", "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
              "data": {"validationCode": "512d38b6", "validationUrl": "https://example.com"}}]  # fmt: skip
    answer = post(app, "take", asked, "SubscriptionValidation")
    assert (answer.status, answer.json()) == (200, {"validationResponse": "512d38b6"})
    text = {"data": json.dumps({"validationCode": "7"})}
    assert post(app, "take", text, "subscriptionvalidation").json() == {"validationResponse": "7"}


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("eventgrid.azure.net", "eventgrid.azure.net"),
        ("eventgrid.azure.cn", "eventgrid.azure.cn"),
        ("evil.example", "eventgrid.azure.net"),
        (None, "eventgrid.azure.net"),
    ],
)
def test_the_handshake_of_cloudevents(app, origin, allowed):
    headers = {"WebHook-Request-Origin": origin} if origin else {}
    answer = app.request("OPTIONS", f"{WEBHOOK}keep", headers=headers)
    assert (answer.status, answer.headers["webhook-allowed-origin"]) == (200, allowed)


@pytest.mark.parametrize(
    ("function", "kind", "body", "status"),
    [
        ("nope", "Notification", b"[]", 404),
        ("TAKE", "Notification", b"[]", 404),
        ("take", "Notification", b"[]", 202),
        ("take", "Unsubscribe", b"", 202),
        ("take", "Other", b"[]", 400),
        ("take", None, b"[]", 400),
        ("take", "Notification", b"{no", 500),
        ("take", "Notification", b"7", 500),
        ("take", "Notification", b"[7]", 500),
        ("take", "SubscriptionValidation", b"[]", 500),
        ("take", "SubscriptionValidation", b'[{"data": {}}]', 500),
    ],
)
def test_requests_that_are_no_events(app, function, kind, body, status):
    assert post(app, function, body, kind).status == status


def test_it_can_be_run_by_hand(app):
    app.call("take", json.dumps(event(20, "by hand")))
    deadline = time.monotonic() + 10
    while 'took ["20", "made", "s20", "by hand"]' not in app.log:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_disabled_function_takes_nothing_and_keys_are_asked_for_where_they_are(apps, storage_connection):
    settings = {"Storage": storage_connection, "AzureWebJobs.take.Disabled": "1"}
    with InProcessHost(apps / "eventgrid", settings=settings, enable_auth=True) as app:
        assert post(app, "keep", []).status == 401
        key = app.host.app.keys.system_key("eventgrid_extension")
        assert post(app, f"keep&code={key}", []).status == 202
        assert post(app, f"take&code={key}", []).status == 404


def test_an_app_without_such_a_function_has_no_such_webhook(apps):
    with InProcessHost(apps / "asgi") as app:
        assert post(app, "take", []).status == 404
