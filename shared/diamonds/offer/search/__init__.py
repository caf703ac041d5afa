"""Search among the diamonds on offer: any filters, any order, a page or a cursor, in milliseconds among half a million.

Two ways lead to a page, and a sample tells which (`statements.py`):

- *Few* diamonds fit: find all of them by the most selective index and sort. Their number is exact.
- *Many* fit: read an index in the wanted order and pass over what does not fit, until the page is full. Their number is
  estimated from the sample.

The planner could not choose: it takes conditions for independent, and carats and price are anything but.
"""

from __future__ import annotations

from shared.diamonds.offer.search.export import write_csv
from shared.diamonds.offer.search.query import Diamond, Export, Found, Order, Search, SearchPage, SortBy
from shared.diamonds.offer.search.read import find, read_diamond

__all__ = [
    "Diamond",
    "Export",
    "Found",
    "Order",
    "Search",
    "SearchPage",
    "SortBy",
    "find",
    "read_diamond",
    "write_csv",
]
