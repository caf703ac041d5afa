"""Either kind of source, brought into a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shared.deploys.cancellation import Cancelled, in_thread, unless_cancelled
from shared.deploys.models import ArchiveSource, GitSource, Source
from shared.deploys.sources import uploads
from shared.deploys.sources.archives import unpack
from shared.deploys.sources.git import allowed_hosts, clone
from shared.deploys.sources.tree import LIMITS, Limits, never
from shared.platform.files import scratch_folder

_SHOWN = 10


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
    limits: Limits = LIMITS,
) -> Fetched:
    """Bring the source into a new folder; what it was. After a failure the folder is removed.

    `cancelled` is called several times a second; `token` lets a private repository be fetched.

    Raises:
        NotFound: the archive was not uploaded.
        InvalidInput: the source was refused; the message names the entry and the reason.
        TransientError: storage or the Git server did not answer in time.
        DeploymentCancelled: `cancelled` said so.
        TerminalError: it could not be fetched from git.
    """
    if isinstance(source, GitSource):
        done = await clone(source, folder, cancelled=cancelled, limits=limits, token=token, hosts=allowed_hosts())
        missing = (("submodules", done.submodules), ("files in Git LFS", done.large))
        said = [f"; its {what} are not fetched: {', '.join(names[:_SHOWN])}" for what, names in missing if names]
        return Fetched(f"Fetched commit {done.commit} of {source.url}{''.join(said)}", done.commit)
    return await unless_cancelled(_download_and_unpack(source, organization_id, project_id, folder, limits), cancelled)


async def _download_and_unpack(
    source: ArchiveSource, organization_id: str, project_id: str, folder: Path, limits: Limits
) -> Fetched:
    async with scratch_folder("manifold-source-") as scratch:
        archive = scratch / "archive"
        await uploads.download(organization_id, project_id, source.hash, archive, never)
        done = await in_thread(lambda stopped: unpack(archive, folder, limits, cancelled=stopped))
    return Fetched(f"Unpacked {done.entries:,} entries, {done.bytes:,} bytes, of the {done.kind} {source.hash[:12]}")
