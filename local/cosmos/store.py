"""The databases and containers of the account, and the file that they live in."""

import base64
import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cosmos.errors import BadRequestError, ConflictError, NotFoundError
from local.cosmos.json_types import is_array, is_object
from local.host.core.database import close_database, open_database
from local.host.core.folders import private_folder

SCHEMA = """
CREATE TABLE IF NOT EXISTS database (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    etag TEXT NOT NULL,
    ts INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS container (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    database INTEGER NOT NULL,
    id TEXT NOT NULL,
    etag TEXT NOT NULL,
    ts INTEGER NOT NULL,
    lsn INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL,
    UNIQUE (database, id)
);
CREATE TABLE IF NOT EXISTS item (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    container INTEGER NOT NULL,
    partition TEXT NOT NULL,
    id TEXT NOT NULL,
    lsn INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    ttl INTEGER,
    etag TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (container, partition, id)
);
CREATE INDEX IF NOT EXISTS of_container ON item (container, sequence);
CREATE INDEX IF NOT EXISTS of_partition ON item (container, partition, sequence);
CREATE INDEX IF NOT EXISTS changes ON item (container, lsn);
CREATE TABLE IF NOT EXISTS unique_value (
    container INTEGER NOT NULL,
    partition TEXT NOT NULL,
    constraint_number INTEGER NOT NULL,
    value TEXT NOT NULL,
    item INTEGER NOT NULL,
    PRIMARY KEY (container, partition, constraint_number, value)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unique_of ON unique_value (item);
"""
_INDEXING = {
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [{"path": "/*"}],
    "excludedPaths": [{"path": '/"_etag"/?'}],
}
_FORBIDDEN = set("/\\?#")
_LONGEST_ID = 255


@dataclass(frozen=True, slots=True)
class Container:
    """A container as stored; `owner` is the number of its database.

    `default_ttl` is seconds: -1 lets items expire only by their own ttl, None lets none expire.
    """

    owner: int
    number: int
    rid: str
    body: dict[str, Any]
    lsn: int
    partition_paths: list[list[str]]
    unique_paths: list[list[list[str]]]
    default_ttl: int | None


def split_path(path: str) -> list[str]:
    """`/a/"b c"` as its property names."""
    return [part.strip('"') for part in path.strip("/").split("/")]


def wall_clock() -> float:
    return time.time()


class Store:
    """The account's data in one folder. `clock` gives seconds since 1970.

    Raises:
        DatabaseUnusable: another process works on the folder, or its file is damaged.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = wall_clock) -> None:
        self.clock = clock
        self.database = open_database(private_folder(folder) / "cosmos.sqlite", SCHEMA, "account")
        self.database.row_factory = sqlite3.Row

    def close(self) -> None:
        close_database(self.database)

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All changes within, or none; committed before the request is answered."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.database.rollback()
            raise
        self.database.commit()

    # Databases

    def create_database(self, body: Mapping[str, Any]) -> dict[str, Any]:
        name = _id(body)
        with self.transaction():
            try:
                self.database.execute(
                    "INSERT INTO database (id, etag, ts) VALUES (?, ?, ?)", (name, new_etag(), int(self.clock()))
                )
            except sqlite3.IntegrityError as error:
                raise ConflictError from error
        return self.read_database(name)

    def list_databases(self) -> list[dict[str, Any]]:
        return [_database(row) for row in self.database.execute("SELECT * FROM database ORDER BY number")]

    def read_database(self, name: str) -> dict[str, Any]:
        return _database(self._database_row(name))

    def delete_database(self, name: str) -> None:
        with self.transaction():
            number = self._database_row(name)["number"]
            owned = "SELECT number FROM container WHERE database = ?"
            self.database.execute(f"DELETE FROM unique_value WHERE container IN ({owned})", (number,))  # noqa: S608 - constant text
            self.database.execute(f"DELETE FROM item WHERE container IN ({owned})", (number,))  # noqa: S608 - as above
            self.database.execute("DELETE FROM container WHERE database = ?", (number,))
            self.database.execute("DELETE FROM database WHERE number = ?", (number,))

    def _database_row(self, name: str) -> sqlite3.Row:
        row = self.database.execute("SELECT * FROM database WHERE id = ?", (name,)).fetchone()
        if row is None:
            raise NotFoundError
        return row

    # Containers

    def create_container(self, database: str, body: Mapping[str, Any]) -> dict[str, Any]:
        name, settings = _id(body), _container_settings(body)
        with self.transaction():
            number = self._database_row(database)["number"]
            try:
                self.database.execute(
                    "INSERT INTO container (database, id, etag, ts, body) VALUES (?, ?, ?, ?, ?)",
                    (number, name, new_etag(), int(self.clock()), json.dumps(settings)),
                )
            except sqlite3.IntegrityError as error:
                raise ConflictError from error
        return self.container(database, name).body

    def list_containers(self, database: str) -> list[dict[str, Any]]:
        owner = self._database_row(database)
        rows = self.database.execute("SELECT * FROM container WHERE database = ? ORDER BY number", (owner["number"],))
        return [_container(owner, row).body for row in rows]

    def container(self, database: str, name: str) -> Container:
        """Raises NotFoundError if there is none."""
        owner = self._database_row(database)
        row = self.database.execute(
            "SELECT * FROM container WHERE database = ? AND id = ?", (owner["number"], name)
        ).fetchone()
        if row is None:
            raise NotFoundError
        return _container(owner, row)

    def replace_container(self, database: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change a container's settings; its partition key and unique keys are fixed for good."""
        settings = _container_settings(body)
        with self.transaction():
            old = self.container(database, name)
            if _id(body) != name:
                raise BadRequestError("The id of a container cannot be changed.")
            for fixed in ("partitionKey", "uniqueKeyPolicy"):
                if settings.setdefault(fixed, old.body.get(fixed)) != old.body.get(fixed):
                    raise BadRequestError(f"Document collection {fixed} cannot be changed.")
            self.database.execute(
                "UPDATE container SET body = ?, etag = ?, ts = ? WHERE number = ?",
                (json.dumps(settings), new_etag(), int(self.clock()), old.number),
            )
        return self.container(database, name).body

    def delete_container(self, database: str, name: str) -> None:
        with self.transaction():
            number = self.container(database, name).number
            self.database.execute("DELETE FROM unique_value WHERE container = ?", (number,))
            self.database.execute("DELETE FROM item WHERE container = ?", (number,))
            self.database.execute("DELETE FROM container WHERE number = ?", (number,))


def new_etag() -> str:
    return f'"{uuid.uuid4()}"'


def check_id(name: Any, longest: int = _LONGEST_ID) -> str:
    """A resource's id, if it may be one.

    Raises:
        BadRequestError: it is missing, empty, too long, or holds a character that ids may not.
    """
    if not isinstance(name, str) or not name:
        raise BadRequestError("The input content is invalid because the required properties - 'id; ' - are missing")
    if len(name.encode()) > longest or _FORBIDDEN & set(name) or name.endswith(" "):
        raise BadRequestError(
            f"The id {name[:100]!r} is invalid: at most {longest} bytes, none of / \\ ? #, and no space at the end."
        )
    return name


def _id(body: Mapping[str, Any]) -> str:
    return check_id(body.get("id"))


def rid(*numbers: int) -> str:
    """A resource id: the numbers of the database, the container and the item, as far as there are, in Base64."""
    widths = (4, 4, 8)
    raw = b"".join(number.to_bytes(width, "big") for number, width in zip(numbers, widths, strict=False))
    return base64.b64encode(raw, b"+-").decode()


def _database(row: sqlite3.Row) -> dict[str, Any]:
    name = rid(row["number"])
    system = {"_rid": name, "_self": f"dbs/{name}/", "_etag": row["etag"], "_ts": row["ts"]}
    return {"id": row["id"], **system, "_colls": "colls/", "_users": "users/"}


def _container(owner: sqlite3.Row, row: sqlite3.Row) -> Container:
    settings: dict[str, Any] = json.loads(row["body"])
    name = rid(owner["number"], row["number"])
    link = f"dbs/{rid(owner['number'])}/colls/{name}/"
    system = {"_rid": name, "_self": link, "_etag": row["etag"], "_ts": row["ts"], "_docs": "docs/"}
    policy: dict[str, Any] = settings.get("uniqueKeyPolicy") or {}
    unique: list[dict[str, list[str]]] = policy.get("uniqueKeys", [])
    return Container(
        owner=owner["number"],
        number=row["number"],
        rid=name,
        body={"id": row["id"], **settings, **system},
        lsn=row["lsn"],
        partition_paths=[split_path(path) for path in settings["partitionKey"]["paths"]],
        unique_paths=[[split_path(path) for path in key["paths"]] for key in unique],
        default_ttl=settings.get("defaultTtl"),
    )


def _container_settings(body: Mapping[str, Any]) -> dict[str, Any]:
    settings = {key: value for key, value in body.items() if not key.startswith("_") and key != "id"}
    key = settings.get("partitionKey")
    paths = key.get("paths") if is_object(key) else None
    if not is_array(paths) or not paths or not all(isinstance(path, str) and path[:1] == "/" for path in paths):
        raise BadRequestError("Partition key paths are required, each beginning with a slash.")
    ttl = settings.get("defaultTtl")
    if ttl is None:
        settings.pop("defaultTtl", None)
    elif isinstance(ttl, bool) or not isinstance(ttl, int) or (ttl < 1 and ttl != -1):
        raise BadRequestError("The value of defaultTtl is -1 or a positive number of seconds.")
    return {"indexingPolicy": _INDEXING, **settings}
