"""Papers as files for other programs: a table, or entries of a reference manager."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Literal

from shared.platform.printable import cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shared.papers.search.models import FoundPaper

Format = Literal["csv", "ris", "bibtex"]
BATCH: Final = 5_000
"""Papers of a batch of a stream of Arrow, which a reader takes one by one."""
MEDIA_TYPES: Final = {
    "csv": "text/csv",  # Functions adds the charset of text, and of nothing else
    "ris": "application/x-research-info-systems; charset=utf-8",
    "bibtex": "application/x-bibtex; charset=utf-8",
}
_NAMES = ("id", "source", "source_id", "title", "authors", "date", "doi", "arxiv_id", "link", "abstract")
_SIGNS = {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_TEX = {
    **_SIGNS,
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",  # BibTeX counts braces behind a backslash, too
    "}": r"\textbraceright{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
}
_IN_ADDRESS = str.maketrans({"{": "%7B", "}": "%7D"})
"""Braces would end a field of BibTeX; in addresses and DOIs they can be written so."""


def exported(papers: Iterable[FoundPaper], file_format: Format, *, first: bool = True) -> str:
    """The papers in a format. The line of names comes on the first part of a table alone."""
    return _csv(papers, first=first) if file_format == "csv" else {"ris": _ris, "bibtex": _bibtex}[file_format](papers)


def arrow(papers: list[FoundPaper], names: Sequence[str]) -> bytes:
    """The papers with these fields as one stream of Apache Arrow, for programs that draw or count many of them.

    Its schema is that of the names, whatever the papers hold.
    """
    import pyarrow as pa  # noqa: PLC0415 - loads when it is asked for

    untyped: Any = pa  # it ships without complete types
    table = untyped.Table.from_pylist(papers, schema=untyped.schema([(name, arrow_type(name)) for name in names]))
    out = io.BytesIO()
    stream = untyped.ipc.new_stream(out, table.schema)
    stream.write_table(table, max_chunksize=BATCH)
    stream.close()
    return out.getvalue()


def arrow_type(name: str) -> Any:
    """The type of a field of papers in Arrow and Parquet."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    untyped: Any = pa  # as above
    match name:
        case "doctrove_authors" | "categories":
            return untyped.list_(untyped.string())
        case "withdrawn":
            return untyped.bool_()
        case "similarity":
            return untyped.float64()
        case _:
            return untyped.string()


def _csv(papers: Iterable[FoundPaper], *, first: bool) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    if first:
        writer.writerow(_NAMES)
    for paper in papers:
        values = (
            paper.get("doctrove_paper_id"),
            paper.get("doctrove_source"),
            paper.get("doctrove_source_id"),
            paper.get("doctrove_title"),
            "; ".join(paper.get("doctrove_authors", [])),
            paper.get("doctrove_primary_date"),
            paper.get("doi"),
            paper.get("arxiv_id"),
            paper.get("doctrove_links"),
            paper.get("doctrove_abstract"),
        )
        writer.writerow([cell(value or "") for value in values])
    return out.getvalue()


def _ris(papers: Iterable[FoundPaper]) -> str:
    lines: list[str] = []
    for paper in papers:
        tags = [
            ("TY", "GEN"),
            ("TI", paper.get("doctrove_title")),
            *(("AU", author) for author in paper.get("doctrove_authors", [])),
            ("PY", (paper.get("doctrove_primary_date") or "")[:4]),
            ("DA", (paper.get("doctrove_primary_date") or "").replace("-", "/")),
            ("DO", paper.get("doi")),
            ("UR", paper.get("doctrove_links")),
            ("AB", paper.get("doctrove_abstract")),
        ]
        lines += [f"{tag}  - {value}" for tag, value in tags if value]
        lines += ["ER  - ", ""]
    return "\r\n".join(lines)


def _bibtex(papers: Iterable[FoundPaper]) -> str:
    """One entry a paper. Ids that differ in their signs alone get a number, since BibTeX takes no key twice."""
    times: Counter[str] = Counter()
    entries: list[str] = []
    for paper in papers:
        key = re.sub(r"[^A-Za-z0-9.:-]+", "-", f"{paper.get('doctrove_source')}-{paper.get('doctrove_source_id')}")
        times[key.lower()] += 1
        entries.append(_entry(paper, key if times[key.lower()] == 1 else f"{key}:{times[key.lower()]}"))
    return "\n".join(entries)


def _entry(paper: FoundPaper, key: str) -> str:
    day = paper.get("doctrove_primary_date") or ""
    fields = [
        ("title", f"{{{_tex(paper.get('doctrove_title', ''))}}}"),
        ("author", " and ".join(map(_author, paper.get("doctrove_authors", [])))),
        ("year", day[:4]),
        ("doi", (paper.get("doi") or "").translate(_IN_ADDRESS)),
        ("eprint", paper.get("arxiv_id")),
        ("url", (paper.get("doctrove_links") or "").translate(_IN_ADDRESS)),
        ("abstract", _tex(paper.get("doctrove_abstract") or "")),
    ]
    written = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields if value)
    return f"@misc{{{key},\n{written}\n}}\n"


_MOST_COMMAS = 2
"""Of a name in BibTeX: "last, junior, first"."""


def _author(name: str) -> str:
    """A name, in braces where it would be taken for two, or has more commas than a name may have."""
    return f"{{{_tex(name)}}}" if " and " in name.lower() or name.count(",") > _MOST_COMMAS else _tex(name)


def _tex(value: str) -> str:
    return "".join(_TEX.get(character, character) for character in value)
