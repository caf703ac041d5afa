"""Check commits' messages, as CONTRIBUTING.md asks for them.

`python -m tools.commit_message .git/COMMIT_EDITMSG` checks one that is being written, for the hook;
`python -m tools.commit_message` those since HELD_SINCE, for who works without hooks.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

LONGEST_SUBJECT = 72
HELD_SINCE = "c6a7400b351a9d6d64319fef7f0145fdefb10848"
"""Commits after this one are checked wherever they stand. What is older is on the main branch, and is not reworded."""


def faults(message: str) -> list[str]:
    """What is wrong with the message; lines that begin with # are git's own."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject = lines[0] if lines else ""
    found: list[str] = []
    if not subject.strip():
        found.append("The first line is empty: say what the commit does, as an imperative.")
    if len(subject) > LONGEST_SUBJECT:
        found.append(f"The subject has {len(subject)} characters; at most {LONGEST_SUBJECT} are shown everywhere.")
    if subject.endswith("."):
        found.append("The subject ends with a full stop; leave it out.")
    if len(lines) > 1 and lines[1].strip():
        found.append("The second line is not empty: it parts the subject from the body.")
    return found


def new_messages(folder: Path) -> dict[str, str]:
    """The messages by short ids of the commits after HELD_SINCE; where that is unknown, of those not on main."""
    if not shutil.which("git"):
        return {}
    for known in (HELD_SINCE, "origin/main", "main"):
        command = ["git", "log", f"{known}..HEAD", "--no-merges", "-z", "--format=%h%n%B"]
        log = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
        if log.returncode == 0:
            commits = (entry.partition("\n") for entry in log.stdout.split("\0") if entry)
            return {commit: message for commit, _, message in commits}
    return {}


def main() -> int:
    if len(sys.argv) > 1:
        found = faults(Path(sys.argv[1]).read_text(encoding="utf-8"))
    else:
        messages = new_messages(Path.cwd())
        found = [f"{commit}: {fault}" for commit, message in messages.items() for fault in faults(message)]
    for fault in found:
        sys.stderr.write(f"{fault}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
