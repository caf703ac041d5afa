"""What a cluster is called: the terms that its papers have more often than the others' (class-based TF-IDF)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

TERMS = 8
"""Of a cluster, the most telling first."""
NAMED = 3
"""Of them make its name."""
_WORDS_READ = 80
"""Of a paper's abstract."""
_FORMULA = re.compile(r"\$[^$]*\$|\\[A-Za-z]+")
_WORD = re.compile(r"[^\W\d_][\w-]+")
_PLAIN = """
a about above abstract across after all also although always among an and any approach approaches are as at
available based be because become been before being better between both but by can case cases certain compared
consider considered corresponding could demonstrate demonstrated describe described despite detailed develop
developed did different discuss discussed do does due during each effect effects either enable especially et
existing experiments few find findings first for found four framework from full further general give given gives
good had has have here high higher how however if important in including increasing information into introduce
investigate is issue it its itself known large larger less like low lower made main make many may means method
methods model models more most much must near need new no non not novel number obtain obtained of often on one
only or order other our out over paper papers particular performance possible present presented previous
previously problem problems propose proposed provide provides question recent recently related report require
respect result results same several should show shown shows significant similar simple since single small so
some state still studied studies study such systems system task tasks than that the their them then there these
they this those three through thus time to toward towards two type under understanding upon us use used useful
using various very via was way we well were what when where whether which while who whose will with within
without work works would yet you your
"""
_PLAIN_WORDS = frozenset(_PLAIN.split())


def terms(title: str, abstract: str | None) -> Iterable[str]:
    """The words that tell of a paper, and pairs of them that stand side by side. Those of its title come twice."""
    heading = list(_terms(title))
    yield from heading
    yield from heading
    yield from _terms(" ".join((abstract or "").split()[:_WORDS_READ]))


def _terms(text: str) -> Iterable[str]:
    before = ""
    for word in _WORD.findall(_FORMULA.sub(" . ", text.lower())):
        if word in _PLAIN_WORDS or len(word) < 3:  # noqa: PLR2004 - letters of a word that tells anything
            before = ""
            continue
        yield word
        if before:
            yield f"{before} {word}"
        before = word


def distinctive(counts: Sequence[Counter[str]]) -> list[list[str]]:
    """Of each cluster the terms that tell it from the others, the best first, none that repeats a better one."""
    everywhere: Counter[str] = Counter()
    for own in counts:
        everywhere.update(own)
    average = everywhere.total() / max(len(counts), 1)
    return [_best(own, everywhere, average) for own in counts]


def name_of(words: Sequence[str]) -> str:
    """A cluster's name by its most telling terms."""
    return ", ".join(words[:NAMED]) or "unnamed"


def _best(counts: Counter[str], everywhere: Counter[str], average: float) -> list[str]:
    def weight(term: str) -> float:
        # The root keeps words that all regions are full of from standing first in each.
        return counts[term] ** 0.5 * math.log(1 + average / everywhere[term]) * (1.5 if " " in term else 1.0)

    best: list[str] = []
    # Of what one paper alone says nobody learns what the cluster is about, unless there is nothing else.
    often = [term for term, n in counts.items() if n > 2] or list(counts)  # noqa: PLR2004 - a title counts twice
    for term in sorted(often, key=lambda term: (-weight(term), term)):
        if not any(_overlap(term, other) for other in best):
            best.append(term)
        if len(best) == TERMS:
            break
    return best


def _overlap(term: str, other: str) -> bool:
    """Whether two terms share a word, in the singular or the plural."""
    return bool({word.rstrip("s") for word in term.split()} & {word.rstrip("s") for word in other.split()})
