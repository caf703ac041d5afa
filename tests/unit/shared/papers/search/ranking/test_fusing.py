"""Several orders become one."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.papers.search.models import Hit, Hits, Plan
from shared.papers.search.ranking.fusing import fused

ids = st.lists(st.integers(0, 30).map(lambda n: UUID(int=n)), unique=True, max_size=20)


def hits(order, plan: Plan = "exact", similarity=None):
    return Hits(hits=[Hit(paper_id=one, similarity=similarity) for one in order], plan=[plan])


@given(ids, st.integers(1, 30))
def test_one_order_alone_stays_as_it_is(order, limit):
    assert [hit.paper_id for hit in fused([hits(order)], limit).hits] == order[:limit]


@given(ids, ids)
def test_who_stands_first_in_both_stands_first(one, other):
    first = UUID(int=99)
    found = fused([hits([first, *one]), hits([first, *other], "words")], 100)
    assert found.hits[0].paper_id == first
    assert {hit.paper_id for hit in found.hits} == {first, *one, *other}
    assert found.plan == ["exact", "words"]


def test_the_similarity_is_kept_whichever_order_has_it():
    paper = UUID(int=1)
    found = fused([hits([paper], "words"), hits([paper], similarity=0.5)], 1)
    assert found.hits == [Hit(paper_id=paper, similarity=0.5)]
