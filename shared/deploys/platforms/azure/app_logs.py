"""The logs of a revision's replicas. They have no offsets: what is new is what comes after the lines that are known."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from shared.deploys.platforms.azure.apps import LOG_LINES, Apps
from shared.deploys.platforms.base import LOG_CHARACTERS, AppLogPart
from shared.deploys.secrets import redactor
from shared.platform.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from httpx import AsyncClient

    from shared.deploys.models import DeploymentSpec
    from shared.platform.redaction import Redactor

KNOWN_LINES: Final = 20
"""By so many lines a place in the log is known again. Where an app writes the same ones again, the last is meant."""


class AppLogs:
    """Reads the logs of apps. An app that sleeps has none."""

    def __init__(self, container_apps: Apps, web: AsyncClient) -> None:
        self._apps = container_apps
        self._web = web

    async def tail(self, spec: DeploymentSpec) -> str:
        """The end of the log of each of the revision's replicas."""
        try:
            redact = await redactor(spec.secrets_reference, spec.plain_variables)
        except NotFound:  # deleted, as it was replaced long ago: its log could not be redacted
            return ""
        logs = await self._apps.logs_of(spec, self._web, LOG_LINES)
        share = LOG_CHARACTERS // max(len(logs), 1)
        ends = {name: redact.end(log, share, goes_on=True).splitlines() for name, log in logs.items()}
        return "".join(f"{line}\n" for name, lines in ends.items() for line in _labelled(name, lines, logs))

    async def following(self, spec: DeploymentSpec, cursor: str | None) -> AppLogPart | None:
        """What the revision has written since the cursor. See the port."""
        revision = await self._apps.revision(spec)
        if revision is None or not revision.active:
            return None
        try:
            redact = await redactor(spec.secrets_reference, spec.plain_variables)
        except NotFound:  # as above
            return None
        return following(await self._apps.logs_of(spec, self._web, LOG_LINES), cursor, redact)


def following(logs: Mapping[str, str], cursor: str | None, redact: Redactor) -> AppLogPart:
    """What comes after the cursor's lines in these ends of the replicas' logs; all where they are not there any more.

    The cursor has a place in each of the logs, `lines.hash.replica`. The lines of several replicas bear their names.
    """
    place_of = {
        place.rpartition(".")[2]: place.rpartition(".")[0] for place in (cursor or "").split("_") if "." in place
    }
    new: list[str] = []
    for name, log in sorted(logs.items()):
        mark = _mark(name)
        redacted, _ = redact.part("", log)
        lines = redacted.splitlines()
        added = lines[_after(lines, place_of.get(mark)) :]
        if added:
            place_of[mark] = _place(lines)
            new += _labelled(name, added, logs)
    current = {mark: place for mark, place in place_of.items() if mark in set(map(_mark, logs))}
    places = "_".join(f"{place}.{mark}" for mark, place in sorted(current.items()))
    return AppLogPart(text="".join(f"{line}\n" for line in new), cursor=places or "0")


def _labelled(name: str, lines: list[str], logs: Mapping[str, str]) -> list[str]:
    label = name.rpartition("-")[2]
    return [f"{label} {line}" for line in lines] if len(logs) > 1 else lines


def _mark(replica: str) -> str:
    return hashlib.sha256(replica.encode()).hexdigest()[:8]


def _after(lines: list[str], place: str | None) -> int:
    count = int(place.partition(".")[0]) if place else 0
    if not count:
        return 0
    return next((end for end in range(len(lines), count - 1, -1) if _place(lines[:end], count) == place), 0)


def _place(lines: list[str], count: int = KNOWN_LINES) -> str:
    known = lines[-count:]
    return f"{len(known)}.{hashlib.sha256(chr(10).join(known).encode()).hexdigest()[:16]}"
