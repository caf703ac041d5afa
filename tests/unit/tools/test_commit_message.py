"""What a commit's message must look like."""

import subprocess

import pytest

from tools.commit_message import faults, new_messages


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


def git(folder, *arguments):
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_branchs_own_commits_are_looked_at(tmp_path):
    git(tmp_path, "init", "--initial-branch", "main")
    git(tmp_path, "commit", "--allow-empty", "-m", "x" * 80)
    assert new_messages(tmp_path) == {}  # what is on main stays as it is
    git(tmp_path, "checkout", "-b", "change")
    git(tmp_path, "commit", "--allow-empty", "-m", "Refuse a cursor", "-m", "It was answered with 500.")
    assert [message.strip() for message in new_messages(tmp_path).values()] == [
        "Refuse a cursor\n\nIt was answered with 500."
    ]


def test_without_a_repository_or_a_main_branch_there_is_nothing_to_look_at(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert new_messages(tmp_path) == {}
    git(tmp_path, "init", "--initial-branch", "other")
    git(tmp_path, "commit", "--allow-empty", "-m", "One")
    assert new_messages(tmp_path) == {}
