"""Where providers tell what became of mails. Who calls is proved by the signature, before anything else is done."""

import logging
from typing import Literal

from pydantic import BaseModel

from shared.followups.events import arrivals, bad_signatures, inbox, ses, sns
from shared.platform.access.auth import PUBLIC
from shared.platform.errors import Forbidden, Unauthenticated
from shared.platform.http import Routes

logger = logging.getLogger(__name__)
routes = Routes(tag="webhooks")


class Taken(BaseModel):
    """What was done with the message."""

    result: Literal["taken", "known", "ignored", "confirmed"]


@routes.post(
    "/webhooks/ses",
    needs=PUBLIC,
    summary="Events and mails of Amazon SES, by SNS",
    consumes="text/plain",
    limit=300_000,
)
async def followups_ses_events(body: bytes) -> Taken:
    """Takes signed messages of the topics that FOLLOWUPS_SNS_TOPICS names, and confirms their subscription."""
    try:
        message = await sns.read(body)
    except (Forbidden, Unauthenticated):
        await bad_signatures.note()
        raise
    if message.Type == "SubscriptionConfirmation":
        await sns.fetch(message.SubscribeURL or "")
        logger.info("A subscription of SNS was confirmed.", extra={"topic": message.TopicArn})
        return Taken(result="confirmed")
    if message.Type == "Notification" and (mail := ses.received(message.Message)):
        return Taken(result=await arrivals.take(mail))
    event = ses.read(message.Message, message.MessageId) if message.Type == "Notification" else None
    if event is None:
        return Taken(result="ignored")
    return Taken(result="taken" if await inbox.take(event) else "known")
