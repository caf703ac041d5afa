"""The files of a commit, written from its pack into a source's tree, within the limits of archives."""

from __future__ import annotations

import io
import stat
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from dulwich.errors import ObjectFormatException
from dulwich.objects import Blob, Commit, ShaFile, Tag, Tree, hex_to_sha

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.sources.git.errors import damaged, too_costly
from shared.deploys.sources.git.packs import Pack
from shared.deploys.sources.tree import LINK_BYTES, parts_of, refused
from shared.deploys.sources.tree import Tree as SourceTree

if TYPE_CHECKING:
    from collections.abc import Callable

    from dulwich.pack import UnpackedObject

    from shared.deploys.sources.tree import Limits

_TREE_BYTES: Final = 50_000_000
_TAGS = 5
_LOOK_SECONDS = 0.2
TURN_SECONDS = 60.0
_SUBMODULE = 0o160000
_LFS = b"version https://git-lfs.github.com/spec/"
_ONE_AT_A_TIME: Final = threading.Lock()
"""A hostile pack may fill some hundreds of MB of memory, and an instance in Azure has 2 GB for all that it does."""


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """A commit's id, the names of its submodules, and of the files that Git LFS keeps: neither are fetched."""

    commit: str
    submodules: list[str]
    large: list[str]


@dataclass
class _Plan:
    """Which files a commit has, by the ids of their contents."""

    files: dict[bytes, list[tuple[str, int]]] = field(default_factory=dict[bytes, list[tuple[str, int]]])
    submodules: list[str] = field(default_factory=list[str])
    large: list[str] = field(default_factory=list[str])
    entries: int = 0


def check_out(path: Path, object_id: str, folder: Path, limits: Limits, cancelled: Callable[[], bool]) -> CheckedOut:
    """Write the commit of this id, or the one that a tag of the id leads to, into a folder that exists and is empty.

    Links inside the source become copies, others files that hold the name they lead to; submodules are left out.
    Blocks.

    Raises:
        InvalidInput: an entry is refused, or there is too much of them.
        TerminalError: the pack is damaged.
        DeploymentCancelled: `cancelled` said so.
    """
    with _turn(cancelled) as over, Pack(path, limits, over) as pack:
        tree = SourceTree(folder, limits, None, over)
        try:
            small = _small_objects(pack)
            commit = _commit(small, object_id)
            plan = _Plan()
            _walk(small, commit.tree, "", tree, plan)
        except (ObjectFormatException, ValueError, KeyError) as error:
            raise damaged("its commit or one of its folders is damaged or missing") from error
        missing = set(plan.files)
        for unpacked in pack.objects():
            if unpacked.obj_type_num == Blob.type_num and unpacked.sha() in missing:
                missing.discard(unpacked.sha())
                data = b"".join(unpacked.obj_chunks or [])
                for name, mode in plan.files[unpacked.sha()]:
                    _write(tree, name, mode, data)
                if data.startswith(_LFS):
                    plan.large += [name for name, _ in plan.files[unpacked.sha()]]
        if missing:
            raise damaged(f"{len(missing):,} of its files are missing")
        tree.settle_links()
    return CheckedOut(commit.id.decode("ascii"), plan.submodules, plan.large)


@contextmanager
def _turn(cancelled: Callable[[], bool]) -> Generator[Callable[[], bool]]:
    """A turn of a minute; it gives the check for a cancel, which also refuses what takes longer: others wait."""
    while not _ONE_AT_A_TIME.acquire(timeout=_LOOK_SECONDS):
        if cancelled():
            raise DeploymentCancelled
    deadline = monotonic() + TURN_SECONDS

    def over() -> bool:
        if monotonic() > deadline:
            raise too_costly(TURN_SECONDS)
        return cancelled()

    try:
        yield over
    finally:
        _ONE_AT_A_TIME.release()


def _small_objects(pack: Pack) -> dict[bytes, ShaFile]:
    """Commits, tags and folders by their ids."""
    small: dict[bytes, ShaFile] = {}
    total = 0
    for unpacked in pack.objects():
        if unpacked.obj_type_num in (Commit.type_num, Tag.type_num, Tree.type_num):
            total += sum(map(len, unpacked.obj_chunks or []))
            if total > _TREE_BYTES:
                raise refused("", f"is in folders whose lists alone have more than {_TREE_BYTES:,} bytes")
            small[unpacked.sha()] = _object(unpacked)
    return small


def _object(unpacked: UnpackedObject) -> ShaFile:
    return ShaFile.from_raw_chunks(unpacked.obj_type_num or 0, unpacked.obj_chunks or [])


def _commit(small: dict[bytes, ShaFile], object_id: str) -> Commit:
    target = small[bytes.fromhex(object_id)]
    for _ in range(_TAGS):
        if not isinstance(target, Tag):
            break
        target = small[hex_to_sha(target.object[1])]
    if not isinstance(target, Commit):
        raise damaged(f"{object_id} is no commit and leads to none")
    return target


def _walk(small: dict[bytes, ShaFile], root: bytes, name: str, tree: SourceTree, plan: _Plan) -> None:
    """Note the files below a folder, and make the folders. Folders within folders may be one and the same object."""
    waiting = [(name, root)]
    while waiting:
        above, id_ = waiting.pop()
        listed = small[bytes.fromhex(id_.decode("ascii"))]
        if not isinstance(listed, Tree):
            raise damaged("a folder is none")
        for entry in listed.iteritems():
            path = above + entry.path.decode("utf-8", "surrogateescape")
            if tree.leaves_out(path):
                continue
            plan.entries += 1
            if plan.entries > tree.limits.entries:
                raise refused(path, f"is one more than the {tree.limits.entries:,} entries that are taken")
            parts_of(path, tree.limits)
            if stat.S_ISDIR(entry.mode):
                tree.folder(path)
                waiting.append((f"{path}/", entry.sha))
            elif entry.mode == _SUBMODULE:
                plan.submodules.append(path)
            elif stat.S_ISREG(entry.mode) or stat.S_ISLNK(entry.mode):
                plan.files.setdefault(hex_to_sha(entry.sha), []).append((path, entry.mode))
            else:
                raise refused(path, "is neither a file nor a folder")


def _write(tree: SourceTree, name: str, mode: int, data: bytes) -> None:
    if stat.S_ISLNK(mode):
        if len(data) > LINK_BYTES:
            raise refused(name, "is a link with too long a target")
        target = data.decode(errors="replace")
        if tree.leads_inside(name, target):
            tree.link(name, target)
            return
    tree.file(name, io.BytesIO(data), executable=bool(mode & 0o100))
