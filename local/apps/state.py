"""What the platform has to know after a crash: projects, their ports and which deployment serves each."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path

from local.datafile import open_database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS projects (
    organization TEXT NOT NULL,
    project TEXT NOT NULL,
    number INTEGER PRIMARY KEY,
    port INTEGER NOT NULL,
    serving TEXT,
    previous TEXT,
    UNIQUE (organization, project)
);
CREATE TABLE IF NOT EXISTS deployments (
    id TEXT PRIMARY KEY,
    project INTEGER NOT NULL REFERENCES projects (number),
    build TEXT NOT NULL DEFAULT 'none',
    build_reason TEXT,
    revision TEXT NOT NULL DEFAULT 'none',
    reason TEXT,
    settled INTEGER NOT NULL DEFAULT 0,
    ended INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS domains (
    domain TEXT PRIMARY KEY,
    project INTEGER NOT NULL REFERENCES projects (number)
);
"""


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project: its number, where it answers, and the deployments that serve and served it."""

    organization: str
    project: str
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
    project: int
    build: str
    build_reason: str | None
    revision: str
    reason: str | None
    settled: bool
    ended: bool


class State:
    """The platform's data file. One statement is one transaction."""

    def __init__(self, folder: Path) -> None:
        """Raises DataInUseError if another process has it open."""
        self._db = open_database(folder / "apps.sqlite", _SCHEMA)
        self._db.row_factory = sqlite3.Row

    def close(self) -> None:
        self._db.close()

    def project(self, number: int) -> ProjectRow:
        return ProjectRow(**self._db.execute("SELECT * FROM projects WHERE number = ?", [number]).fetchone())

    def projects(self) -> list[ProjectRow]:
        return [ProjectRow(**row) for row in self._db.execute("SELECT * FROM projects ORDER BY number")]

    def find_project(self, organization: str, project: str) -> ProjectRow | None:
        found = self._db.execute(
            "SELECT * FROM projects WHERE organization = ? AND project = ?", [organization, project]
        ).fetchone()
        return ProjectRow(**found) if found else None

    def add_project(self, organization: str, project: str, port: int) -> ProjectRow:
        """The project, made with this port if it is not there."""
        self._db.execute(
            "INSERT INTO projects (organization, project, port) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [organization, project, port],
        )
        found = self.find_project(organization, project)
        assert found is not None
        return found

    def serve(self, number: int, serving: str | None, previous: str | None) -> None:
        self._db.execute("UPDATE projects SET serving = ?, previous = ? WHERE number = ?", [serving, previous, number])

    def deployment(self, deployment: str) -> DeploymentRow | None:
        found = self._db.execute("SELECT * FROM deployments WHERE id = ?", [deployment]).fetchone()
        return _row(found) if found else None

    def deployments(self) -> list[DeploymentRow]:
        return [_row(found) for found in self._db.execute("SELECT * FROM deployments ORDER BY rowid")]

    def add_deployment(self, deployment: str, project: int) -> None:
        self._db.execute(
            "INSERT INTO deployments (id, project) VALUES (?, ?) ON CONFLICT DO NOTHING", [deployment, project]
        )

    def set_build(self, deployment: str, build: str, reason: str | None = None) -> None:
        self._db.execute("UPDATE deployments SET build = ?, build_reason = ? WHERE id = ?", [build, reason, deployment])

    def set_revision(self, deployment: str, revision: str, reason: str | None = None) -> None:
        self._db.execute("UPDATE deployments SET revision = ?, reason = ? WHERE id = ?", [revision, reason, deployment])

    def settle(self, deployment: str) -> None:
        self._db.execute("UPDATE deployments SET settled = 1 WHERE id = ?", [deployment])

    def end(self, deployment: str) -> None:
        self._db.execute("UPDATE deployments SET ended = 1 WHERE id = ?", [deployment])

    def bind(self, domain: str, project: int) -> int:
        """Bind the domain to the project unless it is bound; the number of the project that has it."""
        self._db.execute(
            "INSERT INTO domains (domain, project) VALUES (?, ?) ON CONFLICT DO NOTHING", [domain, project]
        )
        return int(self._db.execute("SELECT project FROM domains WHERE domain = ?", [domain]).fetchone()[0])

    def bound(self, domain: str) -> int | None:
        found = self._db.execute("SELECT project FROM domains WHERE domain = ?", [domain]).fetchone()
        return int(found[0]) if found else None


def _row(found: sqlite3.Row) -> DeploymentRow:
    row = DeploymentRow(**found)
    return replace(row, settled=bool(row.settled), ended=bool(row.ended))
