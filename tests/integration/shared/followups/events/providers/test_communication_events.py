"""Events of Communication Services: Event Grid is known by its token, and each report is taken once."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from local.arm.servers import listening
from local.providers.identity import Identity
from shared.followups import id_tokens
from shared.followups.events.providers import bad_signatures, communication
from shared.followups.reporting.health import scheduler_health
from shared.followups.sending import claims
from tests.fresh_settings import forget_settings

TENANT, AUDIENCE = "72f988bf-86f1-41af-91ab-2d7cd011db47", "api://manifold-events"


@pytest.fixture
async def entra(crm, monkeypatch):
    """The stand-in of Entra ID, whose tokens Event Grid shows."""
    found = Identity()
    monkeypatch.setattr(id_tokens, "_keys_by_url", {})
    async with listening(found.app()) as port:
        monkeypatch.setattr(communication, "AUTHORITY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("FOLLOWUPS_EVENT_GRID_TENANT", TENANT)
        monkeypatch.setenv("FOLLOWUPS_EVENT_GRID_AUDIENCE", AUDIENCE)
        forget_settings()
        yield found


def bearer(entra, **changed):
    claims = {"iss": f"https://sts.windows.net/{TENANT}/", "aud": AUDIENCE, "appid": communication.EVENT_GRID}
    return {"Authorization": f"Bearer {entra.token(**{**claims, **changed})}"}


def grid(kind, data, event_id=None):
    event = {"id": event_id or str(uuid4()), "topic": "/x", "subject": "s", "eventType": kind, "dataVersion": "1.0"}
    return {**event, "metadataVersion": "1", "eventTime": datetime.now(UTC).isoformat(), "data": data}


def delivery(mail, status, **changed):
    at = datetime.now(UTC).isoformat()
    data = {"sender": "a@b", "recipient": "c@d", "messageId": str(mail["message_key"]), "status": status}
    data |= {"deliveryStatusDetails": {"statusMessage": "said"}, "deliveryAttemptTimeStamp": at, **changed}
    return grid(communication.DELIVERY, data)


def engagement(mail, kind):
    data = {"messageId": str(mail["message_key"]), "engagementType": kind, "userAgent": "Mozilla"}
    return grid(communication.ENGAGEMENT, {**data, "userActionTimeStamp": datetime.now(UTC).isoformat()})


def body(*events):
    return json.dumps(events).encode()


async def test_the_question_whether_the_address_wants_events_is_answered_with_its_code(post, entra):
    asked = body(grid(communication.VALIDATION, {"validationCode": "512d38b6", "validationUrl": "https://x"}))
    answer = await post("communication", asked, bearer(entra))
    assert answer["validationResponse"] == "512d38b6"
    await post("communication", asked, status=401)


@pytest.mark.parametrize(
    "case",
    [
        (["Delivered"], ("delivered", "none", [])),
        (["OutForDelivery"], ("none", "none", [])),
        (["Bounced"], ("bounced", "none", [("all", "bounce", True)])),
        (["Suppressed"], ("bounced", "none", [("all", "provider-list", True)])),
        (["FilteredSpam"], ("bounced", "none", [])),
        (["Bounced", "Delivered"], ("bounced", "none", [("all", "bounce", True)])),
        (["view"], ("none", "opened", [])),
        (["click", "view"], ("none", "clicked", [])),
        (["SomethingNew"], ("none", "none", [])),
    ],
)
async def test_each_report_moves_its_axis_in_any_order(post, entra, sent, outcome, case):
    reports, came_to = case
    kinds = {"view": engagement, "click": engagement}
    events = [kinds.get(report, delivery)(sent, report) for report in reports]
    await post("communication", body(*events), bearer(entra))
    assert await outcome(sent["id"]) == came_to


async def test_each_event_is_taken_once(post, entra, sent):
    events = body(delivery(sent, "Delivered"), engagement(sent, "view"))
    assert [(await post("communication", events, bearer(entra)))["taken"] for _ in range(2)] == [2, 0]


async def test_a_report_settles_a_mail_that_nobody_knew_about(post, crm, entra, sent, axes):
    await crm.execute("update followups.emails set state = 'unknown', sent_at = null")
    await post("communication", body(delivery(sent, "Delivered")), bearer(entra))
    assert await axes(sent["id"]) == ("delivered", "none", "sent")


LONG_AGO = datetime.now(UTC) - timedelta(hours=2)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "api://another"},
        {"iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/"},
        {"appid": "00000000-0000-0000-0000-000000000000"},
        {"appid": None},
        {"exp": LONG_AGO},
        {"exp": None},
    ],
)
async def test_a_token_that_is_not_event_grids_for_us_is_refused_and_changes_nothing(post, entra, sent, axes, changed):
    await post("communication", body(delivery(sent, "Bounced")), bearer(entra, **changed), status=401)
    assert await axes(sent["id"]) == ("none", "none", "sent")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic x", "Bearer " + "x" * 20_000])
async def test_what_is_no_token_is_refused_and_no_keys_are_fetched_for_it(post, entra, header):
    await post("communication", b"[]", {"Authorization": header}, status=401)
    assert entra.fetched == 0


async def test_another_issuers_signature_is_refused(post, entra, sent):
    stranger = Identity()
    await post("communication", body(delivery(sent, "Bounced")), bearer(stranger), status=401)


async def test_keys_are_fetched_once_and_again_when_they_have_changed(post, entra, sent, monkeypatch):
    for _ in range(3):
        await post("communication", body(engagement(sent, "view")), bearer(entra))
    assert entra.fetched == 1
    old = bearer(entra)
    entra.rotate()
    new = {"iss": f"https://sts.windows.net/{TENANT}/", "aud": AUDIENCE, "appid": communication.EVENT_GRID}
    token = {"Authorization": f"Bearer {entra.token('first-next', **new)}"}
    await post("communication", body(engagement(sent, "view")), token, status=401)  # too soon after the last time
    assert entra.fetched == 1
    monkeypatch.setattr(id_tokens, "SOONEST_SECONDS", 0)
    await post("communication", body(engagement(sent, "view")), token)
    await post("communication", body(engagement(sent, "view")), old, status=401)


async def test_without_a_tenant_nothing_is_taken(post, entra, sent, monkeypatch):
    monkeypatch.setenv("FOLLOWUPS_EVENT_GRID_TENANT", "")
    forget_settings()
    await post("communication", body(delivery(sent, "Bounced")), bearer(entra), status=403)


async def test_twenty_wrong_tokens_turn_the_health_red(post, entra):
    await claims.note_sweep()
    for _ in range(bad_signatures.MOST):
        await post("communication", b"[]", {"Authorization": "Bearer x"}, status=401)
    assert (await scheduler_health()).status == "red"


@pytest.mark.parametrize("nonsense", [b"{}", b"[]", b"[{}]", b"[1]", b'{"specversion": "1.0"}', b"\xff"])
async def test_a_body_that_holds_no_events_is_refused(post, entra, nonsense):
    await post("communication", nonsense, bearer(entra), status=400)


async def test_one_bad_report_keeps_no_other_out(post, entra, sent, axes):
    events = [delivery(sent, "Delivered", deliveryAttemptTimeStamp="never"), engagement(sent, "view")]
    await post("communication", body(*events), bearer(entra), status=400)
    assert await axes(sent["id"]) == ("none", "opened", "sent")


async def test_reports_of_mails_that_are_not_ours_change_nothing(post, entra, sent, axes):
    for stranger in (str(uuid4()), "x", None, 7):
        answer = await post("communication", body(delivery(sent, "Bounced", messageId=stranger)), bearer(entra))
        assert answer["taken"] == 1
    await post("communication", body(delivery(sent, "Bounced", deliveryAttemptTimeStamp="never")), bearer(entra), 400)
    assert await axes(sent["id"]) == ("none", "none", "sent")
