"""The documents of a container: their rules, and every way to read and write one."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.cosmos.errors import BadQueryError, BadRequestError, ConflictError, NotFoundError, PreconditionFailedError
from local.cosmos.json_types import is_array, is_object
from local.cosmos.sql.parser import parse
from local.cosmos.sql.run import run
from local.cosmos.sql.syntax import SqlError
from local.cosmos.store import Container, Store, check_id, new_etag, rid

_SYSTEM = {"_rid", "_self", "_etag", "_attachments", "_ts", "_lsn"}
_LONGEST_ID = 1023
_LIVE = "(:default IS NULL OR coalesce(ttl, :default) < 0 OR ts + coalesce(ttl, :default) > :now)"
_MISSING = "Entity with the specified id does not exist in the system."


@dataclass(frozen=True, slots=True)
class Item:
    """A stored document. `sequence` is its place in the order of creation; `document` includes the system fields."""

    sequence: int
    lsn: int
    etag: str
    document: dict[str, Any]

    def content(self) -> dict[str, Any]:
        return {key: value for key, value in self.document.items() if key not in _SYSTEM}


class Items:
    """Every write is a part of the caller's transaction."""

    def __init__(self, store: Store, container: Container) -> None:
        self._store = store
        self._database = store.database
        self.container = container

    def partition_of(self, document: Mapping[str, Any]) -> str:
        """The document's partition key value, in the form of the rows.

        Raises:
            BadRequestError: it is an array or an object.
        """
        return partition_key([value_at(document, path) for path in self.container.partition_paths])

    def read(self, partition: str, name: str) -> Item:
        """Raises NotFoundError if there is no such document."""
        item = self._find(partition, name)
        if item is None:
            raise NotFoundError(_MISSING)
        return item

    def all(self, partition: str | None = None, *, after: int = -1) -> Iterator[Item]:
        """The documents of a partition or of all, in the order of creation, those created behind `after`."""
        part = "" if partition is None else "AND partition = :partition"
        return self._select(f"sequence > :after {part} ORDER BY sequence", after=after, partition=partition)

    def changes(self, after: int, since: float, partition: str | None) -> Iterator[Item]:
        """The documents changed behind the log number `after` and not before `since`, in the order of the changes."""
        part = "" if partition is None else "AND partition = :partition"
        condition = f"lsn > :after AND ts >= :since {part} ORDER BY lsn"
        return self._select(condition, after=after, since=int(since), partition=partition)

    def create(self, partition: str, document: Mapping[str, Any]) -> Item:
        """Raises ConflictError if the id, or a unique value, is taken in the partition."""
        if self._find(partition, self._check(partition, document)) is not None:
            raise ConflictError
        return self._write(partition, document, None)

    def upsert(self, partition: str, document: Mapping[str, Any], if_match: str | None = None) -> tuple[Item, bool]:
        """Create or replace; whether it was created. Raises PreconditionFailedError for another etag."""
        old = self._find(partition, self._check(partition, document))
        if old is not None:
            _require(old, if_match)
        return self._write(partition, document, old), old is None

    def replace(self, partition: str, name: str, document: Mapping[str, Any], if_match: str | None = None) -> Item:
        """Raises NotFoundError, or PreconditionFailedError if it has another etag."""
        if self._check(partition, document) != name:
            raise BadRequestError("The id of an item cannot be changed.")
        old = self.read(partition, name)
        _require(old, if_match)
        return self._write(partition, document, old)

    def delete(self, partition: str, name: str, if_match: str | None = None) -> None:
        """Raises NotFoundError, or PreconditionFailedError if it has another etag."""
        old = self.read(partition, name)
        _require(old, if_match)
        self._remove(old.sequence)

    def delete_partition(self, partition: str) -> None:
        for item in list(self.all(partition)):
            self._remove(item.sequence)

    def holds(self, item: Item, condition: str) -> bool:
        """Whether `FROM c WHERE ...` picks the document."""
        try:
            query = parse(f"SELECT * {condition}", {})
            return next(run(query, [(0, item.document)]), None) is not None
        except SqlError as error:
            raise BadQueryError(error.code, error.message) from error

    def _check(self, partition: str, document: Mapping[str, Any]) -> str:
        """The document's id, if the document may be stored in this partition."""
        name = check_id(document.get("id"), _LONGEST_ID)
        if self.partition_of(document) != partition:
            raise BadRequestError(
                "PartitionKey extracted from document doesn't match the one specified in the header", 1001
            )
        ttl = document.get("ttl")
        if ttl is not None and (isinstance(ttl, bool) or not isinstance(ttl, int) or (ttl < 1 and ttl != -1)):
            raise BadRequestError("The input ttl is invalid. Ensure to provide a nonzero positive integer or -1.")
        return name

    def _find(self, partition: str, name: str) -> Item | None:
        return next(self._select("partition = :partition AND id = :id", partition=partition, id=name), None)

    def _select(self, condition: str, **values: Any) -> Iterator[Item]:
        rows = self._database.execute(
            f"SELECT * FROM item WHERE container = :container AND {_LIVE} AND {condition}",  # noqa: S608 - constant text
            values | self._present(),
        )
        return (self._item(row) for row in rows)

    def _present(self) -> dict[str, Any]:
        return {
            "container": self.container.number,
            "default": self.container.default_ttl,
            "now": int(self._store.clock()),
        }

    def _item(self, row: sqlite3.Row) -> Item:
        name = rid(self.container.owner, self.container.number, row["sequence"])
        system = {
            "_rid": name,
            "_self": f"{self.container.body['_self']}docs/{name}/",
            "_etag": row["etag"],
            "_attachments": "attachments/",
            "_ts": row["ts"],
        }
        return Item(row["sequence"], row["lsn"], row["etag"], json.loads(row["body"]) | system)

    def _write(self, partition: str, document: Mapping[str, Any], old: Item | None) -> Item:
        self._purge()
        content = {key: value for key, value in document.items() if key not in _SYSTEM}
        number, etag = self.container.number, new_etag()
        (lsn,) = self._database.execute(
            "UPDATE container SET lsn = lsn + 1 WHERE number = ? RETURNING lsn", (number,)
        ).fetchone()
        state = (lsn, int(self._store.clock()), content.get("ttl"), etag, json.dumps(content))
        if old is None:
            cursor = self._database.execute(
                "INSERT INTO item (container, partition, id, lsn, ts, ttl, etag, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (number, partition, content["id"], *state),
            )
            assert cursor.lastrowid is not None
            sequence = cursor.lastrowid
        else:
            sequence = old.sequence
            self._database.execute(
                "UPDATE item SET lsn = ?, ts = ?, ttl = ?, etag = ?, body = ? WHERE sequence = ?", (*state, sequence)
            )
        self._claim_unique(partition, content, sequence)
        return self.read(partition, content["id"])

    def _claim_unique(self, partition: str, content: Mapping[str, Any], sequence: int) -> None:
        self._database.execute("DELETE FROM unique_value WHERE item = ?", (sequence,))
        for position, paths in enumerate(self.container.unique_paths):
            value = json.dumps([value_at(content, path) for path in paths], sort_keys=True)
            try:
                self._database.execute(
                    "INSERT INTO unique_value (container, partition, constraint_number, value, item) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (self.container.number, partition, position, value, sequence),
                )
            except sqlite3.IntegrityError as error:
                raise ConflictError("Unique index constraint violation.") from error

    def _purge(self) -> None:
        """Take out what has expired, so that its id and unique values are free again."""
        if self.container.default_ttl is not None:
            rows = self._database.execute(
                f"SELECT sequence FROM item WHERE container = :container AND NOT {_LIVE}",  # noqa: S608 - constant text
                self._present(),
            )
            for (sequence,) in rows.fetchall():
                self._remove(sequence)

    def _remove(self, sequence: int) -> None:
        self._database.execute("DELETE FROM unique_value WHERE item = ?", (sequence,))
        self._database.execute("DELETE FROM item WHERE sequence = ?", (sequence,))


def value_at(document: Any, path: list[str]) -> Any:
    """The value at a path of property names; `{}`, which is how Azure writes undefined, where there is none."""
    value = document
    for name in path:
        if not is_object(value) or name not in value:
            return {}
        value = value[name]
    return value


def partition_key(values: list[Any]) -> str:
    """Partition key values in the form of the rows; numbers that are equal give the same text.

    Raises:
        BadRequestError: a value is an array or an object other than the `{}` of undefined.
    """
    if any(is_array(value) or (is_object(value) and value) for value in values):
        raise BadRequestError("A partition key value is a string, a number, a boolean, null or undefined.")
    return json.dumps([int(one) if isinstance(one, float) and one.is_integer() else one for one in values])


def _require(item: Item, if_match: str | None) -> None:
    if if_match not in {None, "*", item.etag}:
        raise PreconditionFailedError
