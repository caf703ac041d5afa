"""When the steps of a cadence come, also over a change of clocks."""

from datetime import datetime
from zoneinfo import ZoneInfo

from shared.followups.scheduling.cadence import Step, plan
from shared.followups.scheduling.calendar import next_open
from tests.unit.shared.followups.scheduling.calendars import EVERY_DAY, NEW_YORK, calendar, utc


def test_after_the_clocks_have_changed_a_step_still_goes_out_at_nine_local_time():
    entered = datetime(2026, 10, 24, 8, tzinfo=ZoneInfo(NEW_YORK))
    step = Step(followup_type="Custom", days=15, priority="low")
    [planned] = plan([step], entered, calendar(NEW_YORK, EVERY_DAY))
    assert planned.opening.at == utc(2026, 11, 8, 14)
    assert next_open(planned.opening.at, calendar(NEW_YORK, EVERY_DAY)).at == planned.opening.at


def test_fifteen_days_after_half_past_four_it_is_half_past_four_though_the_clocks_have_changed():
    entered = utc(2026, 10, 24, 20, 30)  # as the database says it: 16:30 in New York
    step = Step(followup_type="Custom", days=15, priority="low")
    [planned] = plan([step], entered, calendar(NEW_YORK, EVERY_DAY))
    assert (planned.opening.at, planned.opening.reason) == (utc(2026, 11, 8, 21, 30), None)
