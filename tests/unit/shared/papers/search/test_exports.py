"""Papers as files for other programs."""

import csv
import io

import pyarrow as pa

from shared.papers.search.exports import arrow, exported

PAPER = {
    "doctrove_paper_id": "1",
    "doctrove_source": "arxiv",
    "doctrove_source_id": "hep-th/9901001",
    "doctrove_title": "50% of {braces} & $x_1$",
    "doctrove_authors": ["C. Balázs", "=HYPERLINK(1)"],
    "doctrove_primary_date": "2007-04-02",
    "doi": "10.1000/x",
    "arxiv_id": None,
    "doctrove_links": "https://arxiv.org/abs/hep-th/9901001",
    "doctrove_abstract": "-1 line",
}


def test_a_table_runs_nothing_in_a_spreadsheet():
    [row] = list(csv.DictReader(io.StringIO(exported([PAPER], "csv"))))
    assert row["title"] == PAPER["doctrove_title"]
    assert row["authors"] == "C. Balázs; =HYPERLINK(1)"
    assert row["abstract"] == "'-1 line"


def test_bibtex_is_escaped_and_has_a_key():
    entry = exported([PAPER], "bibtex")
    assert entry.startswith("@misc{arxiv-hep-th-9901001,")
    assert r"title = {{50\% of \{braces\} \& \$x\_1\$}}" in entry
    assert "author = {C. Balázs and =HYPERLINK(1)}" in entry
    assert "eprint" not in entry


def test_arrow_holds_the_same_papers():
    table = pa.ipc.open_stream(arrow([PAPER, PAPER])).read_all()
    assert table.to_pylist() == [PAPER, PAPER]


def test_arrow_holds_what_the_first_paper_lacks():
    found = [{"doctrove_title": "No vector yet"}, {"doctrove_title": "Near", "similarity": 0.5}]
    assert pa.ipc.open_stream(arrow(found)).read_all().to_pylist() == [{**found[0], "similarity": None}, found[1]]


def test_ris_has_a_line_a_fact():
    lines = exported([PAPER], "ris").split("\r\n")
    assert lines[0] == "TY  - GEN"
    assert "DA  - 2007/04/02" in lines
    assert lines[-2:] == ["ER  - ", ""]
