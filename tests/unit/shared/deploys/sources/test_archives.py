"""Archives from strangers: what is unpacked is what a careful reader would have allowed, whatever the headers say."""

import dataclasses
import gzip
import io
import os
import stat
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.platforms.azure.builds import MOST_BYTES
from shared.deploys.sources.archives import LIMITS, ArchiveKind, Limits, kind_of, pack, unpack
from shared.deploys.sources.uploads import UPLOAD_BYTES
from shared.platform.errors import InvalidInput

PLAIN = {"app.py": b"print('hello')\n", "static/a/b.css": b"body {}", "empty": b""}


def zipped(entries, *, compression=zipfile.ZIP_DEFLATED) -> bytes:
    """Entries are (name or ZipInfo, bytes)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(entries, *, mode: Any = "w:gz", **options: Any) -> bytes:
    """Entries are (name or TarInfo, bytes)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, **options) as archive:
        for name, data in entries:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if info.type in (tarfile.REGTYPE, tarfile.AREGTYPE):
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def tar_entry(name, kind, **fields) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def zip_entry(name, mode) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


@pytest.fixture
def unpacked(tmp_path, monkeypatch):
    """Unpack bytes, and give the folder; a refusal must leave nothing at all."""

    def run(data: bytes, limits: Limits = LIMITS) -> Path:
        archive, folder = tmp_path / "source", tmp_path / "into" / "folder"
        archive.write_bytes(data)
        monkeypatch.setattr("shared.deploys.sources.archives.LIMITS", limits)
        before = {path for path in tmp_path.rglob("*") if path != folder.parent}
        try:
            unpack(archive, folder)
        except InvalidInput:
            assert {path for path in tmp_path.rglob("*") if path != folder.parent} == before
            raise
        return folder

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("make", [zipped, tarred])
def test_plain_archives_come_out_as_they_are(unpacked, make):
    assert contents(unpacked(make(PLAIN.items()))) == PLAIN


def test_the_kind_is_told_by_content():
    assert kind_of(zipped([])[:4]) is ArchiveKind.ZIP
    assert kind_of(tarred([])[:4]) is ArchiveKind.TAR_GZ
    for other in (b"", b"BZh9", b"<htm", b"7z\xbc\xaf"):
        with pytest.raises(InvalidInput, match=r"neither a zip nor a tar\.gz"):
            kind_of(other)


HOSTILE_NAMES = {
    "../out": "leads out of the source",
    "a/../../out": "leads out of the source",
    "/etc/passwd": "has an absolute path",
    "C:evil": "names a drive",
    "c:/evil": "names a drive",
    "a\\..\\..\\b": "has a backslash|leads out",
    "a\nb": "has control characters",
    "a\x7fb": "has control characters",
    "a\u2028b": "has control characters",
    "/".join("d" * 60) + "/f": "folders deep",
    "x" * 300: "too long a name",
}


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize(("name", "reason"), HOSTILE_NAMES.items())
def test_names_that_lead_elsewhere_are_refused(unpacked, make, name, reason):
    with pytest.raises(InvalidInput, match=reason) as refusal:
        unpacked(make([("app.py", b"x"), (name, b"x")]))
    assert refusal.value.field == "source"


def test_a_name_that_goes_on_after_a_nul_is_refused(unpacked):
    data = zipped([("good.txtXevil", b"x")]).replace(b"good.txtXevil", b"good.txt\0evil")
    with pytest.raises(InvalidInput, match="control characters"):
        unpacked(data)


@pytest.mark.parametrize(
    "entry",
    [
        tar_entry("link", tarfile.SYMTYPE, linkname="/etc/passwd"),
        tar_entry("link", tarfile.LNKTYPE, linkname="../../etc/passwd"),
        tar_entry("link", tarfile.CHRTYPE, devmajor=1, devminor=3),
        tar_entry("link", tarfile.BLKTYPE, devmajor=8),
        tar_entry("link", tarfile.FIFOTYPE),
    ],
    ids=["link out", "hard link", "character device", "block device", "fifo"],
)
def test_tar_entries_that_are_no_files_are_refused(unpacked, entry):
    with pytest.raises(InvalidInput, match=r"'link' (is a link|is neither a plain file nor a folder)"):
        unpacked(tarred([("app.py", b"x"), (entry, b"")]))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_zip_entries_that_are_no_files_are_refused(unpacked, kind):
    with pytest.raises(InvalidInput, match=r"'link' (is a link|is neither a file nor a folder)"):
        unpacked(zipped([(zip_entry("link", kind | 0o777), b"/etc/passwd")]))


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["a", "a"], "'a' is there already, as a file"),
        (["a", "./a"], r"'\./a' is there already, as a file"),
        (["a/b", "a"], "'a' is there already, as a folder"),
        (["a", "a/b"], "needs 'a' to be a folder"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_comes_twice_is_refused(unpacked, make, names, reason):
    with pytest.raises(InvalidInput, match=reason):
        unpacked(make([(name, b"x") for name in names]))


@pytest.mark.parametrize("make", [zipped, tarred])
class TestLimits:
    def test_entries(self, unpacked, make):
        with pytest.raises(InvalidInput, match="'f3' is one more than the 3 entries"):
            unpacked(make([(f"f{n}", b"") for n in range(9)]), replace(LIMITS, entries=3))

    def test_one_file(self, unpacked, make):
        with pytest.raises(InvalidInput, match="'big' is larger than 1,000 bytes"):
            unpacked(make([("ok", b"x"), ("big", os.urandom(1001))]), replace(LIMITS, file=1000))

    def test_all_files(self, unpacked, make):
        with pytest.raises(InvalidInput, match="'f2' makes the source larger than 2,500 bytes"):
            unpacked(make([(f"f{n}", os.urandom(1000)) for n in range(3)]), replace(LIMITS, total=2500))

    def test_ratio(self, unpacked, make):
        with pytest.raises(InvalidInput, match="unpacks to more than 100 times the size of the archive"):
            unpacked(make([("bomb", bytes(3_000_000))]), replace(LIMITS, ratio_from=1_000_000))


def test_a_zip_that_understates_its_sizes_is_found_out(unpacked):
    data = bytearray(zipped([("bomb", bytes(2_000_000))]))
    true = (2_000_000).to_bytes(4, "little")
    lie = (10).to_bytes(4, "little")
    with pytest.raises(InvalidInput, match=r"the zip is damaged|unpacks to more than|is larger than"):
        unpacked(bytes(data.replace(true, lie)), replace(LIMITS, file=1000))


def test_a_tar_of_nothing_but_headers_is_a_bomb_too(unpacked):
    with pytest.raises(InvalidInput, match=r"one more than the|more than \d+ times"):
        unpacked(tarred([(f"{n:05}", b"") for n in range(600)]), replace(LIMITS, entries=500))


def test_a_pax_header_is_not_read_into_memory_whole(unpacked):
    data = tarred([("app.py", b"x")], format=tarfile.PAX_FORMAT, pax_headers={"comment": "c" * 200_000})
    with pytest.raises(InvalidInput, match="extended header of more than"):
        unpacked(data)


def test_encrypted_entries_are_refused(unpacked):
    data = bytearray(zipped([("secret", b"x")]))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    with pytest.raises(InvalidInput, match="'secret' is encrypted"):
        unpacked(bytes(data))


def test_other_compressions_are_refused(unpacked):
    with pytest.raises(InvalidInput, match="compressed in a way that is not taken"):
        unpacked(zipped([("a", b"x" * 100)], compression=zipfile.ZIP_LZMA))


def test_a_catalogue_that_would_fill_the_memory_is_not_read(unpacked):
    with pytest.raises(InvalidInput, match="catalogue is for more than the 2 entries"):
        unpacked(zipped([(f"{n}" * 40, b"") for n in range(10, 60)]), replace(LIMITS, entries=2))


@pytest.mark.parametrize("make", [zipped, tarred])
def test_modes_are_made_plain(unpacked, make):
    wild, plain = 0o106777, 0o102644
    entries = (
        [(zip_entry("run", wild), b"x"), (zip_entry("read", plain), b"x")]
        if make is zipped
        else [
            (tar_entry("run", tarfile.REGTYPE, mode=0o6777), b"x"),
            (tar_entry("read", tarfile.REGTYPE, mode=0o2644), b"x"),
        ]
    )
    folder = unpacked(make(entries))
    assert stat.S_IMODE((folder / "run").stat().st_mode) == 0o755
    assert stat.S_IMODE((folder / "read").stat().st_mode) == 0o644


def test_unpacking_ends_at_a_cancel(tmp_path):
    (tmp_path / "a").write_bytes(zipped(PLAIN.items()))
    with pytest.raises(DeploymentCancelled):
        unpack(tmp_path / "a", tmp_path / "into", cancelled=lambda: True)
    assert not (tmp_path / "into").exists()


def test_packing_ends_at_a_cancel_before_the_next_file(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}").write_bytes(b"x")
    looks = iter([False, False, True])
    with pytest.raises(DeploymentCancelled):
        pack(tmp_path, tmp_path.parent / "packed.tgz", cancelled=lambda: next(looks))


def test_a_folder_that_is_there_is_not_touched(tmp_path):
    (tmp_path / "a").write_bytes(zipped(PLAIN.items()))
    (tmp_path / "into").mkdir()
    (tmp_path / "into" / "mine").touch()
    with pytest.raises(FileExistsError):
        unpack(tmp_path / "a", tmp_path / "into")
    assert (tmp_path / "into" / "mine").exists()


def test_packing_is_the_same_for_the_same_content_and_can_be_unpacked(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "run").write_bytes(b"x")
        (tmp_path / name / "sub" / "run").chmod(0o700)
        (tmp_path / name / "out").symlink_to("/etc/passwd")
        os.utime(tmp_path / name / "sub" / "run", (0, len(name) + ord(name[0])))
        pack(tmp_path / name, tmp_path / f"{name}.tgz")
    assert (tmp_path / "one.tgz").read_bytes() == (tmp_path / "two.tgz").read_bytes()
    unpack(tmp_path / "one.tgz", tmp_path / "back")
    assert contents(tmp_path / "back") == {"sub/run": b"x"}


names = st.lists(
    st.one_of(st.sampled_from(["..", ".", "a", "b", "", "C:", "\\", "\x00", "\u202e"]), st.text(max_size=6)),
    min_size=1,
    max_size=5,
).map("/".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=st.lists(st.tuples(names, st.binary(max_size=50)), max_size=6), tar=st.booleans())
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_nothing_is_ever_written_outside(tmp_path_factory, entries, tar):
    top = tmp_path_factory.mktemp("hostile")
    try:
        data = (tarred if tar else zipped)(entries)
    except (ValueError, UnicodeError, IndexError):
        return  # no archive can hold such a name
    (top / "source").write_bytes(data)
    try:
        unpack(top / "source", top / "in" / "folder")
    except InvalidInput:
        assert not (top / "in" / "folder").exists()
    else:
        given_bytes = [content for _, content in entries]
        assert all(found in given_bytes for found in contents(top / "in" / "folder").values())
    assert {p.name for p in top.iterdir()} == {"source", "in"}
    assert {p.name for p in (top / "in").iterdir()} <= {"folder"}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_refused_and_never_crashes(tmp_path_factory, data):
    """A flipped, cut or grown archive either gives files or a plain refusal, and no other error."""
    whole = bytearray(data.draw(st.sampled_from([zipped(PLAIN.items()), tarred(PLAIN.items())])))
    if not whole.startswith(b"PK") and data.draw(st.booleans()):
        inner = bytearray(gzip.decompress(bytes(whole)))
        for _ in range(data.draw(st.integers(1, 4))):
            inner[data.draw(st.integers(0, 2_000))] = data.draw(st.integers(0, 255))
        whole = bytearray(gzip.compress(bytes(inner)))
    else:
        for _ in range(data.draw(st.integers(0, 4))):
            whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
        whole = whole[: data.draw(st.integers(0, len(whole)))]
    top = tmp_path_factory.mktemp("damaged")
    (top / "source").write_bytes(bytes(whole))
    try:
        unpack(top / "source", top / "into")
    except InvalidInput:
        assert not (top / "into").exists()
    assert {p.name for p in top.iterdir()} <= {"source", "into"}


def test_a_source_of_the_largest_size_fits_the_temporary_storage_of_an_instance():
    """First the archive beside what comes out of it, then that beside the packed context of the build."""
    temporary_bytes = 800_000_000
    blocks = LIMITS.entries * 4096
    assert UPLOAD_BYTES + LIMITS.total + blocks <= temporary_bytes
    assert LIMITS.total + blocks + MOST_BYTES <= temporary_bytes
    headers = LIMITS.entries * 512
    assert LIMITS.total + headers < MOST_BYTES


def link(name, target):
    return tar_entry(name, tarfile.SYMTYPE, linkname=target), b""


def test_links_that_stay_inside_become_copies(unpacked):
    folder = unpacked(
        tarred(
            [
                link("current", "releases/2"),
                ("releases/2/app.py", b"two"),
                link("releases/2/shared.py", "../../lib/shared.py"),
                ("lib/shared.py", b"shared"),
                link("nothing", "not/there"),
                (tar_entry("hard.py", tarfile.LNKTYPE, linkname="lib/shared.py"), b""),
            ]
        )
    )
    assert contents(folder) == {
        "current/app.py": b"two",
        "releases/2/app.py": b"two",
        "releases/2/shared.py": b"shared",
        "lib/shared.py": b"shared",
        "hard.py": b"shared",
        "current/shared.py": b"shared",
    }
    assert not any(path.is_symlink() for path in folder.rglob("*"))


def test_links_in_a_zip_become_copies(unpacked):
    data = zipped([("a.txt", b"x"), (zip_entry("b.txt", stat.S_IFLNK | 0o777), b"a.txt")])
    assert contents(unpacked(data)) == {"a.txt": b"x", "b.txt": b"x"}


@pytest.mark.parametrize("target", ["../../out", "/etc/passwd", "a/../../../out", "."])
def test_links_that_lead_out_or_into_themselves_are_refused(unpacked, target):
    with pytest.raises(InvalidInput, match="is a link"):
        unpacked(tarred([("folder/app.py", b"x"), link("folder/link", target)]))


def test_copies_of_links_count_as_files(unpacked):
    limits = dataclasses.replace(LIMITS, total=2_500, entries=100)
    with pytest.raises(InvalidInput, match="larger than"):
        unpacked(tarred([("big", b"x" * 1_000), *(link(f"copy{n}", "big") for n in range(3))]), limits)


@pytest.mark.parametrize("make", [zipped, tarred])
def test_installed_packages_and_notes_of_file_systems_are_left_out(unpacked, make):
    brought = [
        ("app.py", b"x"),
        ("web/node_modules/a/index.js", b"x"),
        ("__MACOSX/._app.py", b"x"),
        (".DS_Store", b"x"),
    ]
    brought += [(".venv/bin/python", b"x"), (".git/config", b"x"), ("lib/__pycache__/a.pyc", b"x")]
    limits = dataclasses.replace(LIMITS, entries=1)
    assert contents(unpacked(make(brought), limits)) == {"app.py": b"x"}


def test_names_with_the_backslashes_of_windows_are_paths(unpacked):
    assert contents(unpacked(zipped([("web\\app.py", b"x"), ("web\\static\\", b"")]))) == {"web/app.py": b"x"}


def test_a_catalogue_that_names_a_place_before_the_beginning_is_damage(unpacked):
    data = bytearray(zipped([("app.py", b"x")]))
    data[data.rindex(b"PK\x05\x06") + 16] += 1  # where the catalogue begins, which all places are counted from
    with pytest.raises(InvalidInput, match="before its beginning"):
        unpacked(bytes(data))
