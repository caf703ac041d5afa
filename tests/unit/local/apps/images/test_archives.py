import gzip
import io
import tarfile

import pytest

from local.apps.images import archives
from local.apps.images.archives import ArchiveRefused, unpack


def packed(path, *entries):
    with tarfile.open(path, "w:gz") as tar:
        for entry, data in entries:
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def test_files_and_folders_come_out_with_what_may_be_run(tmp_path):
    script = tarfile.TarInfo("bin/run.sh")
    script.mode = 0o755
    unpack(packed(tmp_path / "a.tar.gz", (script, b"#!/bin/sh"), (tarfile.TarInfo("app.py"), b"1")), tmp_path / "out")
    assert (tmp_path / "out" / "app.py").read_bytes() == b"1"
    assert (tmp_path / "out" / "bin" / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out" / "app.py").stat().st_mode & 0o777 == 0o644


def folder(name):
    found = tarfile.TarInfo(name)
    found.type, found.mode = tarfile.DIRTYPE, 0o000
    return found


def test_defect_what_tar_makes_of_a_folder_comes_out_on_every_python(tmp_path):
    """The library's filter for it came with Python 3.11.4."""
    entries = (folder("."), b""), (folder("./a"), b""), (tarfile.TarInfo("./a/b"), b"1"), (tarfile.TarInfo("c/d"), b"2")
    unpack(packed(tmp_path / "a.tar.gz", *entries), tmp_path / "out")
    assert {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*")} == {
        "a",
        "a/b",
        "c",
        "c/d",
    }


def test_a_name_that_comes_twice_is_refused(tmp_path):
    archive = packed(tmp_path / "a.tar.gz", (tarfile.TarInfo("a"), b"1"), (tarfile.TarInfo("a"), b"2"))
    with pytest.raises(ArchiveRefused, match="File exists"):
        unpack(archive, tmp_path / "out")


def link():
    found = tarfile.TarInfo("link")
    found.type, found.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return found


@pytest.mark.parametrize(
    "entry",
    [
        tarfile.TarInfo("../out.txt"),
        tarfile.TarInfo("/abs/../../x"),
        tarfile.TarInfo("/etc/manifold-test"),
        tarfile.TarInfo("a/../../x"),
        link(),
    ],
)
def test_what_would_leave_the_folder_is_refused_and_nothing_is_left(tmp_path, entry):
    archive = packed(tmp_path / "a.tar.gz", (tarfile.TarInfo("good"), b"1"), (entry, b""))
    with pytest.raises(ArchiveRefused):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


@pytest.mark.parametrize(
    "data", [b"", b"no archive", gzip.compress(b"no tar at all" * 100)], ids=["empty", "text", "gzip"]
)
def test_damage_is_refused(tmp_path, data):
    (tmp_path / "a.tar.gz").write_bytes(data)
    with pytest.raises(ArchiveRefused, match="cannot be unpacked"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_bounds_hold_before_the_bytes_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "UNPACKED_BYTES", 100)
    archive = packed(tmp_path / "a.tar.gz", (tarfile.TarInfo("bomb"), bytes(101)))
    with pytest.raises(ArchiveRefused, match="more than"):
        unpack(archive, tmp_path / "out")
