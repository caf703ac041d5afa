"""Check a commit's message, as CONTRIBUTING.md asks for it: `python -m tools.commit_message .git/COMMIT_EDITMSG`."""

from __future__ import annotations

import sys
from pathlib import Path

LONGEST_SUBJECT = 72


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


def main() -> int:
    found = faults(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for fault in found:
        sys.stderr.write(f"{fault}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
