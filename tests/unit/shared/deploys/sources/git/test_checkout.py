"""The files of a commit: what a hostile one may name is refused before it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.sources.git.checkout import _ONE_AT_A_TIME, check_out
from shared.deploys.sources.tree import LIMITS, never
from shared.platform.errors import ManifoldError
from tests.unit.shared.deploys.sources.git.packing import BLOB, COMMIT, TAG, TREE, commit, id_of, pack, packed, tree

BLOB_ID = id_of(BLOB, b"x")
FILE = "100644"
FOLDER = "40000"
LINK = "120000"


def checked_out(folder: Path, *trees: bytes, entries: int = 1_000, blobs: tuple[bytes, ...] = (b"x",)) -> Path:
    """The source of a commit whose folder is the last of `trees`."""
    made = commit(id_of(TREE, trees[-1]))
    contents = [(BLOB, one) for one in blobs] + [(TREE, one) for one in trees] + [(COMMIT, made)]
    (folder / "pack").write_bytes(pack(*(packed(kind, data) for kind, data in contents)))
    into = folder / "into"
    into.mkdir()
    check_out(folder / "pack", id_of(COMMIT, made).hex(), into, replace(LIMITS, entries=entries), never)
    return into


def test_links_that_double_what_they_hold_are_refused_before_they_are_copied(tmp_path: Path) -> None:
    trees = [tree((FILE, b"file", BLOB_ID))]
    targets: list[bytes] = []
    top: list[tuple[str, bytes, bytes]] = [(FOLDER, b"f0", id_of(TREE, trees[0]))]
    for level in range(1, 30):
        targets.append(f"../f{level - 1}".encode())
        link = id_of(BLOB, targets[-1])
        trees.append(tree((LINK, b"x", link), (LINK, b"y", link)))
        top.append((FOLDER, f"f{level}".encode(), id_of(TREE, trees[-1])))
    with pytest.raises(ManifoldError, match="entries that are taken"):
        checked_out(tmp_path, *trees, tree(*top), entries=500, blobs=(b"x", *targets))
    assert sum(1 for _ in (tmp_path / "into").rglob("*")) <= 500


def test_folders_that_hold_themselves_many_times_are_refused_before_they_are_made(tmp_path: Path) -> None:
    trees = [tree((FILE, b"file", BLOB_ID))]
    for _ in range(30):  # each holds the one before ten times: 10^30 files by 31 objects
        below = id_of(TREE, trees[-1])
        trees.append(tree(*((FOLDER, b"d%d" % number, below) for number in range(10))))
    with pytest.raises(ManifoldError, match="entries that are taken"):
        checked_out(tmp_path, *trees)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ((FILE, b"..", BLOB_ID), "leads out of the source"),
        ((FILE, b"../evil", BLOB_ID), "leads out of the source"),
        ((FILE, b"/etc/evil", BLOB_ID), "absolute path"),
        ((FILE, b"a\\b", BLOB_ID), "backslash"),
        ((FILE, b"C:evil", BLOB_ID), "names a drive"),
        ((FILE, b"\xff\xfe", BLOB_ID), "undecodable"),
        ((FILE, b"a\nb", BLOB_ID), "control characters"),
        ((FILE, b"", BLOB_ID), "without a name"),
        (("60000", b"device", BLOB_ID), "neither a file nor a folder"),
        ((FOLDER, b"folder", BLOB_ID), "missing"),
        ((FILE, b"file", b"a" * 20), "1 of its files are missing"),
        ((FOLDER, b"folder", b"a" * 20), "missing"),
    ],
)
def test_entries_that_are_refused(tmp_path: Path, entry: tuple[str, bytes, bytes], said: str) -> None:
    with pytest.raises(ManifoldError, match=said):
        checked_out(tmp_path, tree((FILE, b"ok", BLOB_ID), entry))
    assert [one.name for one in tmp_path.iterdir() if one.name not in ("pack", "into")] == []


@pytest.mark.parametrize("second", [b"./a", b"a/", b"a/b"])
def test_a_name_that_stands_for_what_is_there_already(tmp_path: Path, second: bytes) -> None:
    with pytest.raises(ManifoldError, match=r"is there already|to be a folder, and it is a file"):
        checked_out(tmp_path, tree((FILE, b"a", BLOB_ID), (FILE, second, BLOB_ID)))


def test_what_no_build_needs_is_not_even_looked_into(tmp_path: Path) -> None:
    top = tree((FOLDER, b".git", b"a" * 20), (FOLDER, b"node_modules", b"b" * 20), (FILE, b"ok", BLOB_ID))
    assert [one.name for one in checked_out(tmp_path, top).iterdir()] == ["ok"]


@pytest.mark.parametrize(
    "made",
    [
        lambda: (TAG, b"object " + b"a" * 40 + b"\ntype commit\ntag x\n\nx\n"),
        lambda: (BLOB, b"x"),
        lambda: (COMMIT, b"tree nonsense\n\n"),
        lambda: (COMMIT, b""),
    ],
)
def test_what_leads_to_no_commit(tmp_path: Path, made: Callable[[], tuple[int, bytes]]) -> None:
    kind, data = made()
    (tmp_path / "pack").write_bytes(pack(packed(kind, data)))
    (tmp_path / "into").mkdir()
    with pytest.raises(ManifoldError, match=r"is damaged|no commit"):
        check_out(tmp_path / "pack", id_of(kind, data).hex(), tmp_path / "into", LIMITS, never)


def test_a_cancel_is_looked_for_while_another_pack_is_unpacked(tmp_path: Path) -> None:
    made = commit(id_of(TREE, b""))
    (tmp_path / "pack").write_bytes(pack(packed(TREE, b""), packed(COMMIT, made)))
    (tmp_path / "into").mkdir()
    with _ONE_AT_A_TIME, pytest.raises(DeploymentCancelled):
        check_out(tmp_path / "pack", id_of(COMMIT, made).hex(), tmp_path / "into", LIMITS, lambda: True)
    check_out(tmp_path / "pack", id_of(COMMIT, made).hex(), tmp_path / "into", LIMITS, never)


def test_what_takes_too_long_is_refused_so_that_others_have_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.deploys.sources.git.checkout.TURN_SECONDS", -1.0)
    with pytest.raises(ManifoldError, match="takes longer than -1 s to unpack"):
        checked_out(tmp_path, tree((FILE, b"ok", BLOB_ID)))
    assert not _ONE_AT_A_TIME.locked()
