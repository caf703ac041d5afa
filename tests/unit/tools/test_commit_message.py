"""What a commit's message must look like."""

import subprocess

import pytest

from tools.commit_message import SCISSORS, faults, main, new_messages

BODY = "\n\nIt was answered with 500."


@pytest.mark.parametrize(
    "message",
    [
        "Refuse a cursor\n\nIt was answered with 500.\n# git's own lines\n",
        f"{'x' * 72}\n\nIt was answered with 500.",
        "Merge branch 'change'\n",
        'Revert "Refuse a cursor"\n',
    ],
)
def test_a_plain_message_passes(message):
    assert faults(message) == []


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("", "empty"),
        ("# only a comment", "empty"),
        (f"{'x' * 73}{BODY}", "73"),
        (f"Refuse.{BODY}", "full stop"),
        (f"One\nTwo{BODY}", "second"),
        ("Refuse a cursor\n", "no body"),
        ("Refuse a cursor\n\n# git's own lines\n", "no body"),
        ("Refuse a cursor\n\nCo-authored-by: Ann <ann@example.com>\n", "no body"),
        (f"Refuse a cursor\n\n{SCISSORS}\ndiff --git a/x b/x\n+x\n", "no body"),
    ],
)
def test_a_fault_is_named(message, words):
    [fault] = faults(message)
    assert words in fault


def git(folder, *arguments):
    """What the command prints."""
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_commits_on_main_are_looked_at_from_a_named_one_on(tmp_path, monkeypatch, capsys):
    git(tmp_path, "init", "--initial-branch", "main")
    git(tmp_path, "commit", "--allow-empty", "-m", "x" * 80)

    def commit(subject):
        git(tmp_path, "commit", "--allow-empty", "-m", f"{subject}{BODY}")

    monkeypatch.setattr("tools.commit_message.HELD_SINCE", git(tmp_path, "rev-parse", "HEAD"))
    commit("Refuse a cursor")
    assert [message.strip() for message in new_messages(tmp_path).values()] == [f"Refuse a cursor{BODY}"]

    commit("y" * 73)
    git(tmp_path, "checkout", "-b", "change")
    commit("Refuse another cursor")
    subjects = [message.partition("\n")[0] for message in new_messages(tmp_path).values()]
    assert [len(subject) for subject in subjects] == [21, 73, 15]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["commit_message"])
    assert main() == 1
    [fault] = capsys.readouterr().err.splitlines()
    assert fault.startswith(git(tmp_path, "rev-parse", "--short", "main"))


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
