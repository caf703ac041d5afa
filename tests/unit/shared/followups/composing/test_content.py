"""No draft reaches a client that invents facts, is unfinished, or describes people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.followups.composing.brief import Brief, Draft
from shared.followups.composing.content import problems
from shared.followups.composing.writers import TEMPLATES, TemplateWriter

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
STEPS = ["Day 1", "Day 3", "Week 1", "Week 2", "Month 1", "Custom", "Spring letter"]


def found(**changed):
    return "; ".join(problems(GOOD.model_copy(update=changed), BRIEF))


def test_a_good_draft_has_no_problems():
    assert problems(GOOD, BRIEF) == []
    facts = BODY.replace("First paragraph here.", "At 450000 or 450,000: https://example.com/elm. On Tuesday?")
    assert problems(GOOD.model_copy(update={"body": facts}), BRIEF) == []


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        ("It costs 425,000.", "numbers that nobody gave: 425,000"),
        ("See https://example.com/other.", "links that the agent did not give"),
        ("Write to bob@example.com.", "links that the agent did not give"),
        ("See https://example.com/yard.", "links that the agent did not give"),
        ("See acme-homes.com/offer for more.", "links that the agent did not give: acme-homes.com/offer"),
        ("See bit.ly/abcd.", "links that the agent did not give: bit.ly/abcd"),
        ("See Acme-Homes.com, it is new.", "links that the agent did not give: Acme-Homes.com"),
        ("See https://example.com.evil.com/elm.", "links that the agent did not give"),
        ("Let us meet on Friday.", "days that nobody gave: Friday"),
        ("It is free from May 1.", "days that nobody gave: May"),
        ("Dear [Your name]", "placeholder"),
        ("Dear {{ name }}", "placeholder"),
        ("Best regards,\nAlice", "signature"),
        ("It is in a safe neighborhood.", "describes people"),
        ("Perfect for young families.", "describes people"),
        ("There are great schools.", "describes people"),
        ("word " * 200, "longer than"),
    ],
)
def test_what_is_invented_unfinished_or_unlawful_is_named(added, problem):
    assert problem in found(body=BODY.replace("Second paragraph here.", added))


@pytest.mark.parametrize("greeting", ["Hi ,", "Hello,", "Dear ,", "Hi,"])
def test_a_greeting_to_nobody_is_refused(greeting):
    assert "greeting" in found(body=BODY.replace("Hello Ann,", greeting))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"subject": "Hello"}, "subject has 1 words"),
        ({"subject": "one two three\nfour five"}, "not one line"),
        ({"body": "Hello Ann,\n\nOnly this."}, "1 paragraphs"),
        ({"body": "\n\n".join(["One more."] * 6)}, "6 paragraphs"),
        ({"body": ""}, "0 paragraphs"),
    ],
)
def test_the_shape_is_held(changed, problem):
    assert problem in found(**changed)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", ["Ann Client", "", "  ", "O'Brien <b>", "12 34"])
@pytest.mark.parametrize("address", ["12 Elm Street", ""])
@pytest.mark.parametrize("company", ["Acme", ""])
async def test_every_template_keeps_the_rules_with_any_name(step, name, address, company):
    changed = {"followup_type": step, "client_name": name, "property_address": address, "company": company}
    brief = BRIEF.model_copy(update=changed)
    draft = await TemplateWriter().write(brief)
    assert problems(draft, brief) == []
    assert brief.first_name in draft.body
    assert ("Hello and" in draft.body) == (name in ("", "  ", "12 34"))


@pytest.mark.parametrize("text", ["e.g. a yard", "We met at 5 p.m. today", "yes.no", "and/or", "a.m./p.m."])
def test_what_only_looks_like_a_link_is_none(text):
    assert "links" not in found(body=BODY.replace("Second paragraph here.", text))


def test_a_link_of_the_agent_may_be_written_without_its_scheme():
    given = BODY.replace("Second paragraph here.", "See example.com/elm for more.")
    assert "links" not in found(body=given)
    assert "links" in found(body=given.replace("/elm", "/oak"))


@pytest.mark.parametrize(("name", "first"), [("Ann, of Elm", "Ann"), (", Ann", ""), ("O'Brien <b>", "O'Brien")])
def test_a_client_is_called_by_the_first_word_without_what_parts_it_from_the_next(name, first):
    assert BRIEF.model_copy(update={"client_name": name}).first_name == first


def test_each_step_of_the_default_cadence_has_a_template():
    names = {path.name for path in TEMPLATES.glob("*.txt.j2")}
    assert names == {f"{name}.txt.j2" for name in ("day_1", "day_3", "week_1", "week_2", "month_1", "custom")}


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_whatever_a_writer_gives_is_judged(text):
    assert problems(Draft(subject=text, body=text), BRIEF)
