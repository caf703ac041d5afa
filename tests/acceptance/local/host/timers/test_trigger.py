import json
import re
from datetime import UTC, datetime

import pytest

from local.host.core.clock import ManualClock
from local.host.testing import InProcessHost

START = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
SETTINGS = {"NIGHTLY": "0 2 * * *", "WEBSITE_TIME_ZONE": "UTC"}


@pytest.fixture
def start(apps, tmp_path):
    def start(clock, *only, **settings):
        return InProcessHost(apps / "timers", clock=clock, data=tmp_path, only=only, settings={**SETTINGS, **settings})

    return start


def runs(app, name):
    return [json.loads(line.partition(f" {name} ")[2]) for line in app.log.splitlines() if f"] {name} [" in line]


def count(app, name):
    return sum(one.function == name for one in app.invocations)


def test_timers_fire_when_the_clock_says_so_and_never_else(start):
    with start(ManualClock(START)) as app:
        app.settle()
        assert count(app, "every_ten_minutes") == 0
        app.advance(minutes=9)
        assert count(app, "every_ten_minutes") == 0
        app.advance(minutes=1)
        assert count(app, "every_ten_minutes") == 1
        app.advance(hours=1)
        assert count(app, "every_ten_minutes") == 7
        assert count(app, "three_a_minute") == 70 * 3


def test_the_next_time_of_the_status_is_about_now(start):
    with start(ManualClock(START)) as app:
        app.advance(minutes=25)
        (first, second) = runs(app, "every_ten_minutes")
    assert first == [
        False,
        {
            "Last": "0001-01-01T00:00:00",
            "Next": "2026-03-01T12:10:00+00:00",
            "LastUpdated": "2026-03-01T12:00:05+00:00",
        },
        {"AdjustForDST": True},
    ]
    assert second[1]["Last"] == "2026-03-01T12:10:00+00:00"
    assert second[1]["Next"] == "2026-03-01T12:20:00+00:00"


def test_schedules_under_a_minute_have_no_monitor(start):
    with start(ManualClock(START)) as app:
        app.advance(minutes=1)
        assert [one[1] for one in runs(app, "three_a_minute")] == [{}, {}, {}]


def test_run_on_startup_and_a_timespan(start):
    with start(ManualClock(START), "ninety_minutes") as app:
        app.settle()
        assert count(app, "ninety_minutes") == 1
        assert "Trigger Details: UnscheduledInvocationReason: RunOnStartup" in app.log
        app.advance(hours=3)
        assert count(app, "ninety_minutes") == 3


def test_a_failing_timer_keeps_its_schedule(start):
    with start(ManualClock(START), "nightly") as app:
        app.advance(days=2)
        assert [one.outcome for one in app.invocations if one.function == "nightly"] == ["Failed", "Failed"]


def test_missed_runs_are_made_up_for_once_after_a_restart(start):
    with start(ManualClock(START)) as app:
        app.advance(minutes=10)
    with start(ManualClock(START.replace(hour=15))) as app:
        app.settle()
        (run,) = runs(app, "every_ten_minutes")
        assert run[0] is True
        assert "UnscheduledInvocationReason: IsPastDue, OriginalSchedule: 2026-03-01T12:20:00" in app.log
        app.advance(minutes=10)
        assert [one[0] for one in runs(app, "every_ten_minutes")] == [True, False]


def test_a_restart_before_the_next_time_runs_nothing(start):
    with start(ManualClock(START)) as app:
        app.advance(minutes=10)
    with start(ManualClock(START.replace(minute=15))) as app:
        app.settle()
        assert count(app, "every_ten_minutes") == 0


def test_a_changed_schedule_is_not_past_due(start):
    with start(ManualClock(START)) as app:
        app.settle()
    with start(ManualClock(START.replace(day=5)), NIGHTLY="0 0 3 * * *") as app:
        app.settle()
        assert count(app, "nightly") == 0


def test_a_schedule_that_cannot_be_read_names_the_function(start):
    with start(ManualClock(START)) as app:
        answer = app.request("GET", "/admin/functions/never/status").json()
    text = (
        "The schedule expression 'every now and then' was not recognized as a valid cron expression or timespan string."
    )
    assert answer == {"errors": [text]}


def test_a_missing_setting_names_the_function(start):
    with start(ManualClock(START), NIGHTLY="") as app:
        assert re.search(
            "The schedule expression ''", app.request("GET", "/admin/functions/nightly/status").json()["errors"][0]
        )


def test_a_timer_can_be_run_by_hand(start):
    with start(ManualClock(START)) as app:
        app.call("every_ten_minutes")
        app.settle()
        assert runs(app, "every_ten_minutes") == [[False, {}, {"AdjustForDST": True}]]
