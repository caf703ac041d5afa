"""Terms of rules that could not be stored are refused."""

import pytest
from pydantic import ValidationError

from shared.diamonds.pricing.terms import PricingRule


@pytest.mark.parametrize(
    "wrong",
    [{"carat_min": 2, "carat_max": 1}, {"shapes": ()}, {"markup_ratio": 0}, {"markup_ratio": 10}, {"rating": 11}],
)
def test_a_rule_that_could_not_be_stored_is_refused(wrong):
    with pytest.raises(ValidationError):
        PricingRule.model_validate({"id": 1, "markup_ratio": "1.2"} | wrong)
