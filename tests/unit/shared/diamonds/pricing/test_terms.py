"""Terms of rules that could not be stored are refused."""

import pytest
from pydantic import ValidationError

from shared.diamonds.pricing.terms import PricingRule, RuleTerms


@pytest.mark.parametrize(
    "wrong",
    [{"carat_min": 2, "carat_max": 1}, {"shapes": ()}, {"markup_ratio": 0}, {"markup_ratio": 10}, {"rating": 11}],
)
def test_a_rule_that_could_not_be_stored_is_refused(wrong):
    with pytest.raises(ValidationError):
        PricingRule.model_validate({"id": 1, "markup_ratio": "1.2"} | wrong)


def test_the_shapes_of_a_rule_are_those_that_diamonds_have():
    sent = ("Round Brilliant", "RB", "\u00a0oval\u200b", "\uff30\uff25\uff21\uff32")
    terms = RuleTerms.model_validate({"markup_ratio": "1.2", "shapes": sent})
    assert terms.shapes == ("ROUND", "OVAL", "PEAR")


@pytest.mark.parametrize("shape", ["\u200b", "\x1b[31m", "<script>", "ROUNDISH", "NONE"])
def test_a_rule_for_a_shape_that_no_diamond_has_is_refused_and_an_old_one_is_shown(shape):
    terms = {"markup_ratio": "1.2", "shapes": ("ROUND", shape)}
    with pytest.raises(ValidationError, match="no known shape"):
        RuleTerms.model_validate(terms)
    assert PricingRule.model_validate(terms | {"id": 1}).shapes == ("ROUND", shape.upper())
