"""Where providers tell what became of mails. Who calls is proved by the signature, before anything else is done."""

from __future__ import annotations

import logging
from typing import Literal, cast

import azure.functions as func
from pydantic import Field

from shared.followups.events import arrivals, inbox
from shared.followups.events.providers import (
    bad_signatures,
    communication,
    resend,
    resend_received,
    ses,
    signatures,
    sns,
)
from shared.followups.settings import settings
from shared.platform.access.auth import PUBLIC, header
from shared.platform.errors import Forbidden, InvalidInput
from shared.platform.http import Routes
from shared.platform.messaging.event_grid import read_events
from shared.platform.models import LazyModel
from shared.platform.settings import settings as platform_settings

logger = logging.getLogger(__name__)
routes = Routes(tag="webhooks")


class Taken(LazyModel):
    """What was done with the message."""

    result: Literal["taken", "known", "ignored", "confirmed"]


class GridTaken(LazyModel):
    """How many events were new; or the code, to say that the address wants the events."""

    taken: int = 0
    validation_response: str | None = Field(default=None, serialization_alias="validationResponse")


@routes.post(
    "/webhooks/ses",
    needs=PUBLIC,
    summary="Events and mails of Amazon SES, by SNS",
    consumes="text/plain",
    limit=300_000,
)
async def followups_ses_events(body: bytes) -> Taken:
    """Takes signed messages of the topics that FOLLOWUPS_SNS_TOPICS names, and confirms their subscription."""
    async with bad_signatures.counted():
        message = await sns.read(body)
    if message.Type == "SubscriptionConfirmation":
        await sns.fetch(message.SubscribeURL or "")
        logger.info("A subscription of SNS was confirmed.", extra={"topic": message.TopicArn})
        return Taken(result="confirmed")
    if message.Type == "Notification" and (mail := ses.received(message.Message)):
        return Taken(result=await arrivals.receive(mail))
    event = ses.read(message.Message, message.MessageId) if message.Type == "Notification" else None
    if event is None:
        return Taken(result="ignored")
    return Taken(result="taken" if await inbox.record_event(event) else "known")


@routes.post(
    "/webhooks/resend", needs=PUBLIC, summary="Events and mails of Resend", consumes="application/json", limit=300_000
)
async def followups_resend_events(body: bytes, request: func.HttpRequest) -> Taken:
    """Takes events that RESEND_WEBHOOK_SECRET signs; a mail that was received is fetched from Resend."""
    async with bad_signatures.counted():
        event_id = signatures.verify(body, _headers(request), settings().resend_webhook_secret, "RESEND_WEBHOOK_SECRET")
    event = resend.read(body, event_id)
    if event is None:
        return Taken(result="ignored")
    if not isinstance(event, str):
        return Taken(result="taken" if await inbox.record_event(event) else "known")
    platform = platform_settings()
    if platform.resend_api_key is None:
        raise Forbidden("Received mails cannot be fetched.", code="settings", remedy="Set RESEND_API_KEY.")
    mail = await resend_received.fetch(event, platform.resend_endpoint, platform.resend_api_key.get_secret_value())
    return Taken(result=await arrivals.receive(mail))


@routes.post(
    "/webhooks/communication",
    needs=PUBLIC,
    summary="Events of Azure Communication Services, by Event Grid",
    consumes="application/json",
    limit=1_000_000,
)
async def followups_communication_events(body: bytes, request: func.HttpRequest) -> GridTaken:
    """Takes events in the schema of Event Grid, which shows a token of Entra ID, and answers its question.

    One that cannot be read keeps no other out; Event Grid delivers all again, and those that were taken are known.
    """
    async with bad_signatures.counted():
        await communication.authenticate(header(request, "Authorization"))
    events = read_events(body)
    if code := communication.validation_code(events):
        return GridTaken(validation_response=code)
    taken, wrong = 0, None
    for event in events:
        try:
            report = communication.event_of(event)
        except InvalidInput as error:
            wrong = error
            continue
        taken += await inbox.record_event(report) if report else 0
    if wrong:
        raise wrong
    return GridTaken(taken=taken)


def _headers(request: func.HttpRequest) -> dict[str, str]:
    return dict(cast("dict[str, str]", request.headers))
