"""No draft reaches a client that invents facts, is unfinished, or describes people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.followups.composing.brief import Draft
from shared.followups.composing.content import problems
from tests.unit.shared.followups.composing.drafts import BODY, BRIEF, GOOD, problems_of, problems_with


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
    assert problem in problems_with(body=BODY.replace("Second paragraph here.", added))


@pytest.mark.parametrize("greeting", ["Hi ,", "Hello,", "Dear ,", "Hi,"])
def test_a_greeting_to_nobody_is_refused(greeting):
    assert "greeting" in problems_with(body=BODY.replace("Hello Ann,", greeting))


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
    assert problem in problems_with(**changed)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_whatever_a_writer_gives_is_judged(text):
    assert problems(Draft(subject=text, body=text), BRIEF)


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
    assert problems_of(sentence) == ""


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
    assert "a placeholder is left" in problems_of(f"So {left} it is.")


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
    assert "describes people" in problems_of(sentence)
