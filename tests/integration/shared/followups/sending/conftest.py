"""Mails that are claimed and written, and what the sink received."""

from collections import Counter

from activities.followups.sending import compose_followup
from shared.followups.sending import claims


def received(sink):
    """How many mails each address got."""
    return Counter(mail.recipients[0] for mail in sink.mails(1000))


async def written(limit=100):
    """Claims of all due mails, whose text is written."""
    found = await claims.claim(limit)
    assert all([(await compose_followup(claim)).ready for claim in found])
    return found
