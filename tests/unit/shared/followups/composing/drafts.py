"""A brief, a good draft of it, and what is wrong with others."""

from shared.followups.composing.brief import Brief, Draft
from shared.followups.composing.content import problems

BRIEF = Brief(
    followup_type="Day 1",
    client_name="Ann Client",
    stage="lead",
    property_address="12 Elm Street",
    property_type="residential",
    client_notes="budget 450,000, likes https://example.com/yard, viewing on Tuesday",
    task_notes="send https://example.com/elm",
    agent_name="Alice Agent",
    agent_title="Broker",
    agent_phone="+1 555 0100",
    company="Acme",
)


BODY = "Hello Ann,\n\nFirst paragraph here.\n\nSecond paragraph here.\n\nWhen shall we talk?"


GOOD = Draft(subject="A few words about your plans", body=BODY)


def problems_with(**changed):
    return "; ".join(problems(GOOD.model_copy(update=changed), BRIEF))


HOUSE = BRIEF.model_copy(
    update={
        "followup_type": "Day 3",
        "client_name": "Jan Church",
        "property_address": "12 Church Street (rear)",
        "client_notes": "budget 450,000; 3 bedrooms; free in May, or tomorrow at noon; family of four",
        "company": "Smith Family Realty",
    }
)


def problems_of(sentence):
    return "; ".join(
        problems(Draft(subject=GOOD.subject, body=BODY.replace("Second paragraph here.", sentence)), HOUSE)
    )
