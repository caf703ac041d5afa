"""A file that would spoil the table waits for a person."""

import pytest

from shared.papers.ingesting.verdict import Figures, reasons
from shared.papers.settings import PaperSettings

LIMITS = PaperSettings()


def figures(**changes):
    losing = dict.fromkeys(["losing_abstract", "losing_authors", "losing_date", "losing_name"], 0)
    return Figures(**{"records": 1000, "rejected": 0, "known": 500, **losing, "renamed": 0, **changes})


@pytest.mark.parametrize(
    "changes",
    [{}, {"rejected": 100}, {"losing_abstract": 50}, {"renamed": 250}, {"known": 19, "renamed": 19}],
)
def test_a_usual_file_is_merged(changes):
    assert reasons(figures(**changes), LIMITS) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"records": 700, "rejected": 300}, "300 of 1,000 records could not be read, more than 10%"),
        ({"records": 0, "rejected": 3}, "none of its 3 records could be read"),
        ({"records": 0}, "none of its 0 records"),
        ({"losing_abstract": 51}, "51 of 500 known papers would lose their abstract"),
        ({"losing_authors": 51}, "51 of 500 known papers would lose their authors"),
        ({"losing_date": 51}, "51 of 500 known papers would lose their date"),
        ({"losing_name": 51}, "51 of 500 known papers would lose their DOI or arXiv id"),
        ({"renamed": 251}, "251 of 500 known papers would change their title"),
    ],
)
def test_a_file_over_a_limit_is_held_with_its_reason(changes, reason):
    [found] = reasons(figures(**changes), LIMITS)
    assert reason in found
