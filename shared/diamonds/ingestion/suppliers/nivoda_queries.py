"""What Nivoda is asked, in GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.diamonds.ingestion.mapping import Mapping

AUTHENTICATE = """
query Authenticate($username: String!, $password: String!) {
  authenticate { username_and_password(username: $username, password: $password) { token } }
}
"""
COUNT = "query Count($query: DiamondQuery!) { diamonds_by_query_count(query: $query) }"


def page(mapping: Mapping) -> str:
    """The query for a page: asks for whatever the mapping reads, and for the ids."""
    return f"""
query Page($query: DiamondQuery!, $offset: Int!, $limit: Int!, $order: DiamondOrder!) {{
  diamonds_by_query(query: $query, offset: $offset, limit: $limit, order: $order) {{
    items {{ {_selection([("id",), ("diamond", "id"), *mapping.paths()])} }}
  }}
}}
"""


def _selection(paths: Iterable[tuple[str, ...]]) -> str:
    """The fields at these paths, nested as GraphQL wants them."""
    below: dict[str, list[tuple[str, ...]]] = {}
    for first, *rest in paths:
        below.setdefault(first, []).extend([tuple(rest)] if rest else [])
    return " ".join(f"{name} {{ {_selection(rest)} }}" if rest else name for name, rest in below.items())


OFFER = """
query Offer($query: DiamondQuery!) {
  diamonds_by_query(query: $query, offset: 0, limit: 1) { items { id price diamond { id availability HoldId } } }
}
"""
CREATE_HOLD = """
mutation Hold($stone: ID!) { create_hold(ProductId: $stone, ProductType: Diamond) { id denied until } }
"""
END_HOLD = "mutation EndHold($hold: ID!) { cancel_hold(hold_id: $hold) { id } }"
CREATE_ORDER = "mutation Order($items: [OrderItemInput!]!) { create_order(items: $items) }"
# The day a diamond was listed does not change while pages are read, its price may.
STABLE_ORDER = {"type": "createdAt", "direction": "ASC"}
