"""The templates that ship with the app."""

import pytest

from shared.followups.composing.content import problems
from shared.followups.composing.writers import TEMPLATES, TemplateWriter
from tests.unit.shared.followups.composing.drafts import BRIEF

STEPS = ["Day 1", "Day 3", "Week 1", "Week 2", "Month 1", "Custom", "Spring letter"]


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


def test_each_step_of_the_default_cadence_has_a_template():
    names = {path.name for path in TEMPLATES.glob("*.txt.j2")}
    assert names == {f"{name}.txt.j2" for name in ("day_1", "day_3", "week_1", "week_2", "month_1", "custom")}
