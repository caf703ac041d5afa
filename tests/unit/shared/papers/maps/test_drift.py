"""When another fit is due."""

import pytest

from shared.papers.maps.drift import Figures, reasons


def figures(papers=1000, additions=0, far=0, searched: str | None = "static 1"):
    return Figures(papers, additions, far, "static 1", searched)


@pytest.mark.parametrize(
    ("found", "because"),
    [
        (figures(), []),
        (figures(searched=None), []),
        (figures(additions=249, far=12), []),
        (figures(additions=250, far=12), ["250 papers came since"]),
        (figures(papers=10, additions=99), []),
        (figures(additions=100, far=15), []),
        (figures(additions=100, far=16), ["16% of the papers that came since lie far"]),
        (figures(additions=99, far=99), []),
        (figures(searched="openai 3"), ["the papers' vectors are of openai 3 now"]),
        (figures(papers=0, additions=100, far=50), ["100 papers came since", "50% of the papers"]),
    ],
)
def test_it_is_due_when_the_papers_have_changed_enough(found, because):
    told = reasons(found)
    assert len(told) == len(because)
    assert all(text.startswith(begin) for text, begin in zip(told, because, strict=True))
