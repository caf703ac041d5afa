"""What the model has cost."""

from shared.followups.composing import costs
from shared.followups.composing.costs import Call


async def test_costs_are_shown_by_day_model_and_outcome(web):
    for outcome, tokens in (("written", 100), ("written", 50), ("model-late", 0)):
        await costs.record(Call("m", outcome, tokens, tokens // 2, tokens / 1000, 1.5))
    late, written = (await web("GET", "/api/followups/costs?days=1", admin=True))["data"]
    assert (late["outcome"], late["calls"], late["dollars"]) == ("model-late", 1, 0)
    assert (written["calls"], written["input_tokens"], written["output_tokens"]) == (2, 150, 75)
    assert written["dollars"] == 0.15
    await web("GET", "/api/followups/costs", status=401)
