"""The tables of the auth cache: which rows each holds, and by which keys they are found besides their id.

A row is a frozen dataclass with a text `id`; its other fields are text, int, bool, datetime or Decimal, each or None.
A new table is one line here and one in TABLES: log, base and views take it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

from shared.authcache.models import Document, Property, RefreshFamily, Share, User

SEPARATOR = "\x1f"
"""Between the fields of a key."""


class Row(Protocol):
    """What every row has."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """One kind of row.

    Attributes:
        indexes: by name, the fields whose values together are the key; several rows may have the same.
        once: the index in which a key stands once.
        decimals: by field, precision and scale of its numbers where they are not (18, 4).
        expires: a field with the time from which on a row is kept no longer; None: all are kept.
        in_iceberg: whether its rows stand in the Iceberg catalog too, and survive the loss of the base.
    """

    name: str
    row: type[R]
    indexes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    once: str | None = None
    decimals: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    expires: str | None = None
    in_iceberg: bool = True

    def __hash__(self) -> int:
        return hash(self.name)

    def key(self, index: str, row: R) -> str:
        """What the row is found by in this index."""
        fields = _getter(self.indexes[index])(row)
        return fields if isinstance(fields, str) else SEPARATOR.join(fields)


@cache
def _getter(fields: tuple[str, ...]) -> Callable[[Row], str | tuple[str, ...]]:
    return attrgetter(*fields)


_RATE = (5, 2)
USERS = Table(
    "users",
    User,
    {"address": ("address",)},
    "address",
    {"tax_rate": _RATE, "mortgage_interest_rate": _RATE, "loc_interest_rate": _RATE},
)
SHARES = Table("shares", Share, {"pair": ("owner", "viewer"), "owner": ("owner",), "viewer": ("viewer",)}, "pair")
FAMILIES = Table("families", RefreshFamily, {"user": ("user",)}, expires="expires_at", in_iceberg=False)
_MONEY = (14, 2)
PROPERTIES = Table(
    "properties",
    Property,
    {"owner": ("owner",)},
    decimals={"purchase_price": _MONEY, "market_value": _MONEY, "monthly_rent": _MONEY},
)
DOCUMENTS = Table("documents", Document, {"owner": ("owner",)})

TABLES: Mapping[str, Table[Any]] = MappingProxyType(
    {table.name: table for table in (USERS, SHARES, FAMILIES, PROPERTIES, DOCUMENTS)}
)
