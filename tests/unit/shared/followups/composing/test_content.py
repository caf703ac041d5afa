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


@pytest.mark.parametrize("text", ["e.g. a yard", "We met at 5 p.m. today", "yes or no", "and/or", "a.m./p.m."])
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


HOUSE = BRIEF.model_copy(
    update={
        "followup_type": "Day 3",
        "client_name": "Jan Church",
        "property_address": "12 Church Street (rear)",
        "client_notes": "budget 450,000; 3 bedrooms; free in May, or tomorrow at noon; family of four",
        "company": "Smith Family Realty",
    }
)


def judged(sentence):
    return "; ".join(
        problems(Draft(subject=GOOD.subject, body=BODY.replace("Second paragraph here.", sentence)), HOUSE)
    )


@pytest.mark.parametrize(
    "sentence",
    [
        "At Smith Family Realty, we know 12 Church Street (rear) well.",
        "With three bedrooms and a budget of 450,000 we can begin, as you are four.",
        "Shall we go on in May, or tomorrow at noon?",
        "The garden has mature trees and a family room.",
        "It is a single-family home, one of the first.",
        "We can march on; may I ask what matters in the second place?",
        "Jan, I sat down in the sun to think of the week ahead, e.g. of your plans.",
    ],
)
def test_what_the_input_has_and_what_describes_the_property_may_stand(sentence):
    assert judged(sentence) == ""


@pytest.mark.parametrize(
    "sentence",
    [
        "The asking price is five hundred thousand dollars.",
        "A million would be a fair price.",
        "There are two baths.",
        "A \u00bd acre lot.",
        "It has 12 bedrooms.",
        "The price is $12 million.",
        "It is $450,000.",
        "Rates fell by 12 %.",
        "It is \uff1512 to be exact.",
        "We meet at half past noon.",
    ],
)
def test_a_number_counts_as_given_with_what_it_counts(sentence):
    assert "numbers that nobody gave" in judged(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Call me on monday.",
        "Let us meet on TUESDAY.",
        "See you Mon. or Sat.",
        "Come in Dec. then.",
        "It is the first of March.",
        "See you this weekend.",
        "Shall we talk next Thursday?",
        "It ends on New Year's Eve.",
        "It was listed today.",
    ],
)
def test_days_and_months_are_known_however_they_are_written(sentence):
    assert "days that nobody gave" in judged(sentence)


@pytest.mark.parametrize("sentence", ["It ends in May.", "It is free from mid-May.", "It ends on the first of May."])
def test_may_is_a_month_where_something_says_so(sentence):
    assert "days that nobody gave: May" in "; ".join(problems(_with(sentence), BRIEF))
    assert judged("May I call you?") == ""


def _with(sentence):
    return Draft(subject=GOOD.subject, body=BODY.replace("Second paragraph here.", sentence))


@pytest.mark.parametrize(
    "link",
    [
        "funda.nl",
        "immo.ch",
        "homes.ai",
        "evil.shop",
        "makelaar.amsterdam",
        "b\u00fccher.com",
        "ftp://evil",
        "hxxp://evil",
        "evil[.]com",
        "evil (dot) com",
        "evil . com",
        "javascript:alert",
        "tel:+15550100",
        "example.xyz:8080/path",
    ],
)
def test_a_link_is_one_under_any_domain_and_written_around(link):
    assert "links that the agent did not give" in judged(f"See {link} for more.")


@pytest.mark.parametrize(
    "left",
    [
        "{first_name}",
        "(your name)",
        "____",
        "%NAME%",
        "$NAME",
        "\u00abname\u00bb",
        "[ ]",
        "[___]",
        "[...]",
        "<your-name>",
        "<<name>>",
        "TODO: add",
        "Insert the date here",
    ],
)
def test_a_placeholder_is_one_in_any_brackets(left):
    assert "a placeholder is left" in judged(f"So {left} it is.")


@pytest.mark.parametrize(
    "sentence",
    [
        "It is great for families.",
        "A kid-friendly street.",
        "Perfect for young professionals.",
        "Ideal for seniors.",
        "Suits empty-nesters.",
        "It is close to a church.",
        "A Christian home.",
        "The area is safe.",
        "Crime is low.",
        "Excellent local schools are close.",
        "An integrated neighborhood.",
        "Good for healthy people.",
    ],
)
def test_people_are_not_described(sentence):
    assert "describes people" in judged(sentence)
