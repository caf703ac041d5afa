"""What a commit's message must look like."""

import pytest

from tools.commit_message import faults


@pytest.mark.parametrize(
    "message",
    ["Refuse a cursor\n", "Refuse a cursor\n\nIt was answered with 500.\n# git's own lines\n", "x" * 72],
)
def test_a_plain_message_passes(message):
    assert faults(message) == []


@pytest.mark.parametrize(
    ("message", "words"),
    [("", "empty"), ("# only a comment", "empty"), ("x" * 73, "73"), ("Refuse.", "full stop"), ("One\nTwo", "second")],
)
def test_a_fault_is_named(message, words):
    [fault] = faults(message)
    assert words in fault
