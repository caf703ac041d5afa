"""What the platform has to know after a crash: apps, their ports and which deployment serves each."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path

from local.host.core.database import close_database, open_database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS apps (
    organization TEXT NOT NULL,
    project TEXT NOT NULL,
    environment TEXT NOT NULL,
    number INTEGER PRIMARY KEY,
    port INTEGER NOT NULL,
    serving TEXT,
    previous TEXT,
    UNIQUE (organization, project, environment)
);
CREATE TABLE IF NOT EXISTS deployments (
    id TEXT PRIMARY KEY,
    app INTEGER NOT NULL REFERENCES apps (number),
    build TEXT NOT NULL DEFAULT 'none',
    build_reason TEXT,
    revision TEXT NOT NULL DEFAULT 'none',
    reason TEXT,
    settled INTEGER NOT NULL DEFAULT 0,
    ended INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS domains (
    domain TEXT PRIMARY KEY,
    app INTEGER NOT NULL REFERENCES apps (number)
);
"""


@dataclass(frozen=True, slots=True)
class AppRow:
    """An environment of a project: its number, where it answers, and the deployments that serve and served it."""

    organization: str
    project: str
    environment: str
    number: int
    port: int
    serving: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """A deployment.

    Attributes:
        build: none, running, done or failed.
        revision: none, starting, healthy or failed.
        settled: it was cleaned up while it served; there is no way back behind it.
        ended: it was removed, and does not come back.
    """

    id: str
    app: int
    build: str
    build_reason: str | None
    revision: str
    reason: str | None
    settled: bool
    ended: bool


class State:
    """The platform's data file. One statement is one transaction."""

    def __init__(self, folder: Path) -> None:
        """Raises DatabaseUnusable if another process has it open, or it is damaged."""
        self._db = open_database(folder / "platform.sqlite", _SCHEMA, "state of the apps")
        self._db.row_factory = sqlite3.Row

    def close(self) -> None:
        close_database(self._db)

    def app(self, number: int) -> AppRow:
        return AppRow(**self._db.execute("SELECT * FROM apps WHERE number = ?", [number]).fetchone())

    def apps(self) -> list[AppRow]:
        return [AppRow(**row) for row in self._db.execute("SELECT * FROM apps ORDER BY number")]

    def find_app(self, organization: str, project: str, environment: str) -> AppRow | None:
        row = self._db.execute(
            "SELECT * FROM apps WHERE organization = ? AND project = ? AND environment = ?",
            [organization, project, environment],
        ).fetchone()
        return AppRow(**row) if row else None

    def add_app(self, organization: str, project: str, environment: str, port: int) -> AppRow:
        """The app, made with this port if it is not there."""
        self._db.execute(
            "INSERT INTO apps (organization, project, environment, port) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [organization, project, environment, port],
        )
        row = self.find_app(organization, project, environment)
        assert row is not None
        return row

    def serve(self, number: int, serving: str | None, previous: str | None) -> None:
        self._db.execute("UPDATE apps SET serving = ?, previous = ? WHERE number = ?", [serving, previous, number])

    def deployment(self, deployment: str) -> DeploymentRow | None:
        row = self._db.execute("SELECT * FROM deployments WHERE id = ?", [deployment]).fetchone()
        return _row(row) if row else None

    def deployments(self) -> list[DeploymentRow]:
        return [_row(row) for row in self._db.execute("SELECT * FROM deployments ORDER BY rowid")]

    def deployments_up_to(self, deployment: str) -> list[DeploymentRow]:
        """Those that came before the deployment, and it."""
        rows = self._db.execute(
            "SELECT * FROM deployments WHERE rowid <= (SELECT rowid FROM deployments WHERE id = ?) ORDER BY rowid",
            [deployment],
        )
        return [_row(row) for row in rows]

    def add_deployment(self, deployment: str, app: int) -> None:
        self._db.execute("INSERT INTO deployments (id, app) VALUES (?, ?) ON CONFLICT DO NOTHING", [deployment, app])

    def set_build(self, deployment: str, build: str, reason: str | None = None) -> None:
        self._db.execute("UPDATE deployments SET build = ?, build_reason = ? WHERE id = ?", [build, reason, deployment])

    def set_revision(self, deployment: str, revision: str, reason: str | None = None) -> None:
        self._db.execute("UPDATE deployments SET revision = ?, reason = ? WHERE id = ?", [revision, reason, deployment])

    def settle(self, deployment: str) -> None:
        self._db.execute("UPDATE deployments SET settled = 1 WHERE id = ?", [deployment])

    def end(self, deployment: str) -> None:
        self._db.execute("UPDATE deployments SET ended = 1 WHERE id = ?", [deployment])

    def bind(self, domain: str, app: int) -> int:
        """Bind the domain to the app unless it is bound; the number of the app that has it."""
        self._db.execute("INSERT INTO domains (domain, app) VALUES (?, ?) ON CONFLICT DO NOTHING", [domain, app])
        return int(self._db.execute("SELECT app FROM domains WHERE domain = ?", [domain]).fetchone()[0])

    def unbind(self, domain: str, app: int) -> None:
        self._db.execute("DELETE FROM domains WHERE domain = ? AND app = ?", [domain, app])

    def unbind_all(self, app: int) -> None:
        self._db.execute("DELETE FROM domains WHERE app = ?", [app])

    def bound(self, domain: str) -> int | None:
        row = self._db.execute("SELECT app FROM domains WHERE domain = ?", [domain]).fetchone()
        return int(row[0]) if row else None


def _row(columns: sqlite3.Row) -> DeploymentRow:
    row = DeploymentRow(**columns)
    return replace(row, settled=bool(row.settled), ended=bool(row.ended))
