"""The log of a revision. Its stream has no offsets: what is new is what comes after the lines that are known."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from shared.deploys.platforms.azure.apps import LOG_LINES, Apps
from shared.deploys.platforms.base import AppLogPart
from shared.deploys.secrets import redactor
from shared.platform.errors import NotFound

if TYPE_CHECKING:
    from httpx import AsyncClient

    from shared.deploys.models import DeploymentSpec
    from shared.platform.redaction import Redactor

LOG_CHARACTERS: Final = 16_384
"""Of an app's log that are shown: fewer than 300 lines of it, since a value may begin before what is shown."""
KNOWN_LINES: Final = 20
"""By so many lines a place in the log is known again. Where an app writes the same ones again, the last is meant."""


class AppLogs:
    """Reads the logs of apps. An app that sleeps has none."""

    def __init__(self, container_apps: Apps, web: AsyncClient) -> None:
        self._apps = container_apps
        self._web = web

    async def tail(self, spec: DeploymentSpec) -> str:
        """The end of the revision's log."""
        try:
            redact = await redactor(spec.secrets_reference, spec.plain_variables)
        except NotFound:  # deleted, as it was replaced long ago: its log could not be redacted
            return ""
        return redact.end(await self._apps.log_of(spec, self._web, LOG_LINES), LOG_CHARACTERS)

    async def following(self, spec: DeploymentSpec, cursor: str | None, *, quiet: bool) -> AppLogPart | None:
        """What the revision has written since the cursor. See the port."""
        revision = await self._apps.revision(spec)
        if revision is None or not revision.active:
            return None
        redact = await redactor(spec.secrets_reference, spec.plain_variables)
        return following(await self._apps.log_of(spec, self._web, LOG_LINES), cursor, redact, quiet=quiet)


def following(log: str, cursor: str | None, redact: Redactor, *, quiet: bool) -> AppLogPart:
    """What comes after the cursor's lines in this end of a log; all of it, where they are not there any more."""
    shown = redact(log) if quiet else redact.split(log)[0]
    lines = shown.splitlines()
    new = lines[_after(lines, cursor) :]
    if not new:
        return AppLogPart(text="", cursor=cursor or "0")
    return AppLogPart(text="\n".join(new) + "\n", cursor=_place(lines))


def _after(lines: list[str], cursor: str | None) -> int:
    count = int(cursor.partition(".")[0]) if cursor else 0
    if not count:
        return 0
    return next((end for end in range(len(lines), count - 1, -1) if _place(lines[:end], count) == cursor), 0)


def _place(lines: list[str], count: int = KNOWN_LINES) -> str:
    known = lines[-count:]
    return f"{len(known)}.{hashlib.sha256(chr(10).join(known).encode()).hexdigest()[:16]}"
