"""What a file says twice of a paper is found in time that grows with the file, whatever the planner believes."""

from uuid import uuid4

from shared.papers.ingesting import judging
from tests.integration.shared.papers.conftest import fetch


async def test_outdated_records_are_found_without_a_join(papers):
    statement = judging._DROP_OUTDATED.replace("%(ingest_id)s", f"'{uuid4()}'::uuid")
    plan = "\n".join(row["QUERY PLAN"] for row in await fetch(f"explain {statement}"))
    assert "Tid Scan on staged" in plan
    assert "Join" not in plan
    assert "Nested Loop" not in plan
