"""Papers as files for other programs."""

import csv
import io
import re

import pyarrow as pa

from shared.papers.search.exports import MEDIA_TYPES, arrow, exported
from shared.papers.search.models import COLUMNS, FoundPaper

TITLE = "50% of {braces} & $x_1$"
PAPER: FoundPaper = {
    "doctrove_paper_id": "1",
    "doctrove_source": "arxiv",
    "doctrove_source_id": "hep-th/9901001",
    "doctrove_title": TITLE,
    "doctrove_authors": ["C. Balázs", "=HYPERLINK(1)"],
    "doctrove_primary_date": "2007-04-02",
    "doi": "10.1000/x",
    "arxiv_id": None,
    "doctrove_links": "https://arxiv.org/abs/hep-th/9901001",
    "doctrove_abstract": "-1 line",
}


def test_a_table_runs_nothing_in_a_spreadsheet():
    [row] = list(csv.DictReader(io.StringIO(exported([PAPER], "csv"))))
    assert row["title"] == TITLE
    assert row["authors"] == "C. Balázs; =HYPERLINK(1)"
    assert row["abstract"] == "'-1 line"
    for title in ("|cmd", "\uff1d1+1", "@SUM(A1)"):
        [row] = list(csv.DictReader(io.StringIO(exported([{**PAPER, "doctrove_title": title}], "csv"))))
        assert row["title"] == f"'{title}"


def test_the_parts_of_a_table_are_one_table():
    whole = exported([PAPER], "csv") + exported([PAPER], "csv", first=False)
    assert [row["title"] for row in csv.DictReader(io.StringIO(whole))] == [TITLE] * 2


def test_a_brace_alone_ends_no_field_of_bibtex():
    entry = exported([{**PAPER, "doctrove_abstract": "a } {, the set {1, 2"}], "bibtex")
    assert entry.count("{") == entry.count("}")
    assert r"a \textbraceright{} \textbraceleft{}, the set \textbraceleft{}1, 2" in entry


def test_bibtex_is_escaped_and_has_a_key():
    entry = exported([PAPER], "bibtex")
    assert entry.startswith("@misc{arxiv-hep-th-9901001,")
    assert r"title = {{50\% of \textbraceleft{}braces\textbraceright{} \& \$x\_1\$}}" in entry
    assert "author = {C. Balázs and =HYPERLINK(1)}" in entry
    assert "eprint" not in entry


def table_of(found, names):
    return pa.ipc.open_stream(arrow(found, names)).read_all()


def test_arrow_holds_the_same_papers():
    assert table_of([PAPER, PAPER], tuple(PAPER)).to_pylist() == [PAPER, PAPER]


def test_arrow_has_one_schema_whatever_the_papers_hold():
    names = (*COLUMNS, "similarity")
    schemas = [table_of(found, names).schema for found in ([], [PAPER], [{"doctrove_title": "No date"}])]
    assert schemas[0].names == list(names)
    assert schemas[0] == schemas[1] == schemas[2]
    found = [{"doctrove_title": "No vector yet"}, {"doctrove_title": "Near", "similarity": 0.5}]
    assert table_of(found, ("doctrove_title", "similarity")).to_pylist() == [{**found[0], "similarity": None}, found[1]]


def test_bibtex_is_whole_whatever_stands_in_an_address_or_a_name():
    paper: FoundPaper = {
        **PAPER,
        "doctrove_links": "https://x/{",
        "doi": "10.1000/}",
        "doctrove_authors": ["Smith and Sons", "A", "B, C, D, E"],
    }
    entry = exported([{**paper, "doctrove_title": "x^2 ~ y"}], "bibtex")
    assert entry.count("{") - entry.count(r"\{") == entry.count("}") - entry.count(r"\}")
    assert "{{Smith and Sons} and A and {B, C, D, E}}" in entry
    assert r"x\textasciicircum{}2 \textasciitilde{} y" in entry


def test_no_key_of_bibtex_comes_twice():
    entries = exported([{**PAPER, "doctrove_source_id": one} for one in ("ex/1", "ex-1", "EX_1", "ex-2")], "bibtex")
    assert re.findall("{(.*),\n", entries.replace("},", "")) == [
        "arxiv-ex-1",
        "arxiv-ex-1:2",
        "arxiv-EX-1:3",
        "arxiv-ex-2",
    ]


def test_each_kind_of_file_names_its_charset_once():
    for media_type in MEDIA_TYPES.values():
        assert media_type.startswith("text/") is not ("charset=utf-8" in media_type)


def test_ris_has_a_line_a_fact():
    lines = exported([PAPER], "ris").split("\r\n")
    assert lines[0] == "TY  - GEN"
    assert "DA  - 2007/04/02" in lines
    assert lines[-2:] == ["ER  - ", ""]
