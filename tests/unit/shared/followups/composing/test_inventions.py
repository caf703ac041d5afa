"""Numbers, days and links that a draft has and its input has not."""

import pytest

from shared.followups.composing.brief import Draft
from shared.followups.composing.content import problems
from tests.unit.shared.followups.composing.drafts import BODY, BRIEF, GOOD, problems_of, problems_with


@pytest.mark.parametrize("text", ["e.g. a yard", "We met at 5 p.m. today", "yes or no", "and/or", "a.m./p.m."])
def test_what_only_looks_like_a_link_is_none(text):
    assert "links" not in problems_with(body=BODY.replace("Second paragraph here.", text))


def test_a_link_of_the_agent_may_be_written_without_its_scheme():
    given = BODY.replace("Second paragraph here.", "See example.com/elm for more.")
    assert "links" not in problems_with(body=given)
    assert "links" in problems_with(body=given.replace("/elm", "/oak"))


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
    assert "numbers that nobody gave" in problems_of(sentence)


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
    assert "days that nobody gave" in problems_of(sentence)


@pytest.mark.parametrize("sentence", ["It ends in May.", "It is free from mid-May.", "It ends on the first of May."])
def test_may_is_a_month_where_something_says_so(sentence):
    assert "days that nobody gave: May" in "; ".join(problems(_with(sentence), BRIEF))
    assert problems_of("May I call you?") == ""


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
    assert "links that the agent did not give" in problems_of(f"See {link} for more.")
