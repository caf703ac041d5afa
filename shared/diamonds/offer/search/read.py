"""Find diamonds in the database."""

from __future__ import annotations

from math import ceil
from typing import Any

from shared.diamonds.offer.search.cursor import Cursor, read_cursor
from shared.diamonds.offer.search.query import Diamond, Found, Search, SearchPage
from shared.diamonds.offer.search.statements import COLUMNS, of_few, of_many, sample
from shared.platform.errors import NotFound
from shared.platform.stores.postgres import database, each_statement_commits, rows

FEW = 2_000
"""Up to so many are found all and sorted. Each costs a look at its row, what is passed over costs one at the index."""
FEW_BY_SIZE = 5_000
"""The same for the orders by price and by carats, where more may have to be passed over: flawless stones are dear."""


async def find(search: Search) -> SearchPage:
    """A page of the diamonds on offer that fit.

    Raises:
        InvalidInput: the cursor is not one of this list.
    """
    after = read_cursor(search)
    async with database() as connection, each_statement_commits(connection):
        counting = sample(search)
        fitting = (await rows(connection, counting.text, counting.parameters, prepare=False))[0]["fitting"]
        few = FEW_BY_SIZE if search.sort_by in ("price_model_price", "carats") else FEW
        statement = (of_few if fitting <= few else of_many)(search, after)
        found = await rows(connection, statement.text, statement.parameters, prepare=False)
    return _page(search, found, fitting)


async def read_diamond(diamond_id: int) -> Diamond:
    """One diamond on offer.

    Raises:
        NotFound: there is none of that id, or it is no longer offered.
    """
    async with database() as connection, each_statement_commits(connection):
        found = await rows(
            connection,
            f"select {COLUMNS} from diamonds.diamonds d where id = %s and status = 'active'",  # noqa: S608 - a constant
            (diamond_id,),
        )
    if not found:
        raise unknown_diamond(diamond_id)
    return Diamond.model_validate(found[0])


def unknown_diamond(diamond_id: int) -> NotFound:
    """No diamond of this id is on offer: there never was one, or it was sold or withdrawn."""
    return NotFound(
        f"There is no diamond {diamond_id} on offer.",
        code="unknown-diamond",
        remedy="Search for those that are; it may have been sold or withdrawn.",
    )


def _page(search: Search, found: list[dict[str, Any]], estimate: int) -> SearchPage:
    total: int | None = found[0]["total"]
    found = [row for row in found if row["id"] is not None]
    page, more = found[: search.limit], len(found) > search.limit
    before = None if search.cursor else (search.page - 1) * search.limit
    if total is None and before is not None and not more and (page or not before):
        total = before + len(page)  # the end of the list was reached
    shown = total
    if shown is None:  # An estimate must not deny what is seen.
        seen = (before or 0) + len(found)
        shown = max(estimate, seen) if found else min(estimate, seen)
    following = None
    if more:
        last = page[-1]
        following = Cursor(by=search.sort_by, order=search.sort_order, key=last["k"], id=last["id"]).model_dump_json()
    return SearchPage(
        data=[Diamond.model_validate(row) for row in page if not row["outbid"]],
        pagination=Found(
            total=shown,
            total_is="estimated" if total is None else "exact",
            page=None if search.cursor else search.page,
            limit=search.limit,
            total_pages=ceil(shown / search.limit),
            next=following,
        ),
    )
