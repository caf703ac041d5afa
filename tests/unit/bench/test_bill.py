"""What Flex bills for executions of known times."""

import json

import pytest

from bench.bill import Execution, billed, execution_of, instance_seconds


def at(began, ended):
    return Execution("f", began, ended)


@pytest.mark.parametrize(("seconds", "paid"), [(0.01, 1.0), (1.0, 1.0), (1.01, 1.1), (1.1, 1.1), (59.95, 60.0)])
def test_a_second_at_least_then_steps_of_a_tenth(seconds, paid):
    assert billed(seconds) == pytest.approx(paid)


def test_what_overlaps_on_an_instance_is_paid_once():
    assert instance_seconds([at(0, 10), at(2, 12), at(11, 15)], width=10) == pytest.approx(15)


def test_a_pause_ends_the_time_and_the_next_begins_with_a_whole_second():
    assert instance_seconds([at(0, 0.2), at(100, 100.2)], width=10) == pytest.approx(2)


def test_more_at_once_than_an_instance_takes_need_a_second_one():
    assert instance_seconds([at(0, 10), at(0, 10), at(0, 4)], width=2) == pytest.approx(14)


def test_executions_are_read_from_the_hosts_log():
    line = {"time": "2026-11-21T10:00:10.000Z", "function": "ingest_pages", "durationMs": 2500.0, "message": "Executed"}
    found = execution_of(json.dumps(line).encode())
    assert found is not None
    assert (found.function, found.ended - found.began) == ("ingest_pages", pytest.approx(2.5))
    assert execution_of(b"[plain text]") is execution_of(b'{"message": "x"}') is None
