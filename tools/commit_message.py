"""Check commits' messages, as CONTRIBUTING.md asks for them.

`python -m tools.commit_message .git/COMMIT_EDITMSG` checks one that is being written, for the hook;
`python -m tools.commit_message` those since HELD_SINCE, for who works without hooks.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

LONGEST_SUBJECT = 72
HELD_SINCE = "a16e8652e3f5dccf75d97d6dfe72466d6b46f9af"
"""Commits after this one are checked wherever they stand. What is older is on the main branch, and is not reworded."""


SCISSORS = "# ------------------------ >8 ------------------------"
"""What git shows below this line to the writer of a message is not part of it."""
BODILESS = re.compile('Merge |Revert "')
"""Messages that git writes, and that say by themselves why there is such a commit."""
TRAILER = re.compile(r"[A-Z][A-Za-z-]*-by: ")


def faults(message: str) -> list[str]:
    """What is wrong with the message; lines that begin with # are git's own."""
    lines = [line for line in message.partition(SCISSORS)[0].splitlines() if not line.startswith("#")]
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
    body = [line for line in lines[1:] if line.strip() and not TRAILER.match(line)]
    if subject.strip() and not body and not BODILESS.match(subject):
        found.append("There is no body: say below an empty line why the change is made.")
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
