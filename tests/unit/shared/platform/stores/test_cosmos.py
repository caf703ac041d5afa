"""Pages of a query, as Azure may cut them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from shared.platform.stores.cosmos import Documents


@pytest.fixture
def answers(monkeypatch):
    """Lets a query have these pages of documents: `answers([[], [1]])`."""

    def give(pages):
        class Pages:
            continuation_token = None

            async def __aiter__(self):
                for number, documents in enumerate(pages, 1):
                    self.continuation_token = str(number) if number < len(pages) else None
                    yield self._documents(documents)

            async def _documents(self, documents):
                for one in documents:
                    yield one

        container = SimpleNamespace(query_items=lambda *_, **__: SimpleNamespace(by_page=lambda _: Pages()))

        async def opened(_):
            return container

        monkeypatch.setattr(Documents, "_open", opened)
        return Documents("container", partition="organization")

    return give


@pytest.mark.parametrize(
    ("pages", "first", "continuation"),
    [
        ([["a"], ["b"]], ["a"], "1"),
        ([[], [], ["c"]], ["c"], None),
        ([[], ["b"], ["c"]], ["b"], "2"),
        ([[], []], [], None),
    ],
)
async def test_an_empty_page_is_not_taken_for_the_end(answers, pages, first, continuation) -> None:
    found = await answers(pages).query("SELECT * FROM c", {})
    assert (found.documents, found.continuation) == (first, continuation)
