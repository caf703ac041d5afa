"""The table of deviations: complete, explained, and the only place that the comparisons take leave from."""

import re
from pathlib import Path

TABLE = Path(__file__).parents[2] / "docs" / "local-host-deviations.md"
HERE = Path(__file__).parent
# Held by the comparison itself: it masks what these name (times, stacks, white space), or they concern what the
# recordings do not hold.
MASKED = {
    "compact-json",
    "milliseconds",
    "no-dotnet-stacks",
    "one-task-all-one-turn",
    "timestamps-remembered",
    "continuation-tokens",
    "unknown-function-order",
}
NOT_RECORDED = {"rejected-versions", "no-entity-locks", "worker-ends", "hidden-stacks"}


def rows() -> list[list[str]]:
    found = [
        re.split(r"\s\|\s?", line.strip("| \n")) for line in TABLE.read_text().splitlines() if line.startswith("| ")
    ]
    return [row for row in found if row[0] != "id"]


def test_every_deviation_is_explained() -> None:
    for row in rows():
        assert len(row) == 4, row
        assert all(cell.strip() for cell in row), row


def test_ids_are_unique() -> None:
    ids = [row[0] for row in rows()]
    assert len(ids) == len(set(ids))


def test_the_comparisons_use_every_deviation_and_no_other() -> None:
    sources = "".join(path.read_text() for path in HERE.glob("test_*.py") if path.name != Path(__file__).name)
    used = set(re.findall(r'"([a-z]+(?:-[a-z]+)+|makeprimary)"', sources))
    table = {row[0] for row in rows()}
    assert table - MASKED - NOT_RECORDED <= used
    named = {"timers-never-early", "pending-is-brief", "json-error-texts", "makeprimary", "worker-class-names"}
    assert named <= table
    assert table >= MASKED | NOT_RECORDED
