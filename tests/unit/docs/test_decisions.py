"""Every decision has a page of the same form, and the index names each."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "docs" / "decisions"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
SECTIONS = ("The question", "What was measured|What was looked at", "The decision", "What follows")


def title(page: Path) -> tuple[int, str]:
    """The number and the title that the page's first line names."""
    first = page.read_text().splitlines()[0]
    found = re.fullmatch(r"# (\d+)\. (.+)", first)
    assert found, f"{page.name} begins with {first!r}, not with its number and title"
    return int(found[1]), found[2]


def test_there_are_pages():
    assert len(PAGES) >= 12


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_form(page):
    text = page.read_text()
    assert title(page)[0] == int(page.name[:4])
    assert re.search(r"^Decided in [A-Z][a-z]+ \d{4}\b.*\.$", text, re.MULTILINE)
    parts = dict(re.findall(r"^## ([^\n]+)\n+(.+?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    places: list[int] = []
    for section in SECTIONS:
        [name] = [name for name in parts if re.fullmatch(section, name)]
        assert len(parts[name].strip()) > 50, f"{page.name}: {name} says nothing"
        places.append(list(parts).index(name))
    assert places == sorted(places)


def test_numbers_have_no_gap():
    assert [title(page)[0] for page in PAGES] == list(range(1, len(PAGES) + 1))


def test_the_index_names_each_page_as_it_calls_itself():
    rows = re.findall(r"^\| \[(\d+)\]\((.+?)\) \| (.+) \|$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert rows == [(str(title(page)[0]), page.name, title(page)[1]) for page in PAGES]
