"""Records: what happened, each with the rows that it changes. A kind is a class; log/kinds.py lists them all.

What a record changes follows from the record and the rows before it alone, so that every instance that reads the log
arrives at the same rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from pydantic import ConfigDict

from shared.authcache.tables import R, Row, Table
from shared.platform.models import LazyModel


@dataclass(frozen=True, slots=True)
class Put:
    """A row is new, or stands in place of the one with its id."""

    table: Table[Any]
    row: Row


@dataclass(frozen=True, slots=True)
class Drop:
    """A row is no more."""

    table: Table[Any]
    id: str


Change = Put | Drop


class Rows(Protocol):
    """The rows before a record."""

    async def get(self, table: Table[R], row_id: str) -> R | None:
        """The row of that id."""
        ...

    async def find(self, table: Table[R], index: str, key: str) -> list[R]:
        """The rows that have this key in that index."""
        ...


class Record(LazyModel, ABC):
    """One thing that happened. `at` is the writer's clock: the LSN orders records, not the time."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    kind: ClassVar[str]
    at: datetime

    @abstractmethod
    async def changes(self, rows: Rows) -> Sequence[Change]:
        """What it makes of the rows before it. One that finds nothing to change changes nothing."""
