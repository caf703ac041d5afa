"""What a file says twice of a paper is found in time that grows with the file, whatever the planner believes."""

from uuid import uuid4

from shared.papers.ingesting import judging
from shared.papers.sources.table import ColumnMapping
from tests.integration.shared.papers.conftest import fetch, record


async def test_outdated_records_are_found_without_a_join(papers):
    statement = judging._DROP_OUTDATED.replace("%(ingest_id)s", f"'{uuid4()}'::uuid")
    plan = "\n".join(row["QUERY PLAN"] for row in await fetch(f"explain {statement}"))
    assert "Tid Scan on staged" in plan
    assert "Join" not in plan
    assert "Nested Loop" not in plan


async def test_known_papers_do_not_lose_their_abstracts_to_a_poor_file(papers, mails):
    await papers.ingest(await papers.put("a.jsonl", [record(n) for n in range(40)]))
    poor = [record(n, abstract=None, update_date="2025-01-01") for n in range(40)]
    held = await papers.ingest(await papers.put("b.jsonl", poor))
    assert held.held_because == ["40 of 40 known papers would lose their abstract, more than 10%"]


async def test_known_papers_do_not_lose_their_authors_dates_and_dois_to_a_poor_file(papers, mails):
    header, mapping = (
        "key,name,who,day,doi\n",
        ColumnMapping(source_id="key", title="name", authors="who", primary_date="day", doi="doi"),
    )
    rich = "".join(f"{n},Paper {n},A. Author,2020-01-02,10.1000/{n}\n" for n in range(40))
    await papers.ingest(await papers.put("a.csv", (header + rich).encode()), "own", mapping)
    poor = "".join(f"{n},Paper {n},,,\n" for n in range(40))
    held = await papers.ingest(await papers.put("b.csv", (header + poor).encode()), "own")
    assert held.held_because == [
        f"40 of 40 known papers would lose their {what}, more than 10%"
        for what in ("authors", "date", "DOI or arXiv id")
    ]
