"""Either kind of source, brought into a folder."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.deploys.cancellation import Cancelled, in_thread, unless_cancelled
from shared.deploys.models import ArchiveSource, GitSource, Source
from shared.deploys.sources import uploads
from shared.deploys.sources.archives import unpack
from shared.deploys.sources.git import allowed_hosts, clone
from shared.deploys.sources.tree import never
from shared.platform.calls.retry import Backoff, Time, retry
from shared.platform.errors import TerminalError, TransientError
from shared.platform.files import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from shared.deploys.sources.git.checkout import CheckedOut

_SHOWN = 10
GIT_RETRIES = Backoff(limit=60, first_delay=2, longest_delay=20)
"""With a git host that does not answer. Whose app it is named the host, and is told when it stays away: the step's own
retries would say that a step of ours failed."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A line that says what a source was, and which commit, where it came from git."""

    summary: str
    commit: str | None = None


async def fetch(
    source: Source,
    organization_id: str,
    project_id: str,
    folder: Path,
    *,
    cancelled: Cancelled,
    token: str | None = None,
) -> Fetched:
    """Bring the source into a new folder; what it was. After a failure the folder is removed.

    `cancelled` is called several times a second; `token` lets a private repository be fetched.

    Raises:
        InvalidInput: the archive was not uploaded, or the source was refused; the message names the entry and why.
        TransientError: storage did not answer in time.
        DeploymentCancelled: `cancelled` said so.
        TerminalError: it could not be fetched from git, also since the host did not answer for as long as GIT_RETRIES.
    """
    if isinstance(source, GitSource):
        done = await _cloned(source, folder, cancelled, token)
        missing = (("submodules", done.submodules), ("files in Git LFS", done.large))
        left_out = [f"; its {what} are not fetched: {', '.join(names[:_SHOWN])}" for what, names in missing if names]
        return Fetched(f"Fetched commit {done.commit} of {source.url}{''.join(left_out)}", done.commit)
    return await unless_cancelled(_download_and_unpack(source, organization_id, project_id, folder), cancelled)


async def _cloned(source: GitSource, folder: Path, cancelled: Cancelled, token: str | None) -> CheckedOut:
    attempts = 0

    async def attempt(_left: float) -> CheckedOut:
        nonlocal attempts
        attempts += 1
        return await clone(source, folder, cancelled=cancelled, token=token, hosts=allowed_hosts())

    def sleep(seconds: float) -> Awaitable[None]:
        return unless_cancelled(asyncio.sleep(seconds), cancelled)

    try:
        return await retry(attempt, GIT_RETRIES, Time(sleep=sleep))
    except TransientError as error:
        tried = f" It was tried {attempts} times." if attempts > 1 else ""
        raise TerminalError(f"{error.message}{tried}", code=error.code, remedy=error.remedy) from None


async def _download_and_unpack(source: ArchiveSource, organization_id: str, project_id: str, folder: Path) -> Fetched:
    async with scratch_folder("manifold-source-") as scratch:
        archive = scratch / "archive"
        await uploads.download(organization_id, project_id, source.hash, archive, never)
        done = await in_thread(lambda cancelled: unpack(archive, folder, cancelled=cancelled))
    return Fetched(f"Unpacked {done.entries:,} entries, {done.bytes:,} bytes, of the {done.kind} {source.hash[:12]}")
