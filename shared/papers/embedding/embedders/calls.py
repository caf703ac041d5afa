"""Texts cut into calls that a model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from shared.papers.embedding.embedders.base import Embedder

T = TypeVar("T")


def calls(model: Embedder, items: Sequence[T], text: Callable[[T], str]) -> Iterator[list[T]]:
    """Cut so that no call has more texts or tokens than the model takes; a text that is too long alone is a call."""
    call: list[T] = []
    size = 0
    for item in items:
        tokens = model.tokens(text(item))
        if call and (size + tokens > model.most_tokens or len(call) == model.most_texts):
            yield call
            call, size = [], 0
        call.append(item)
        size += tokens
    if call:
        yield call
