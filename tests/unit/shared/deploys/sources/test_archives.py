"""Archives from strangers: what is unpacked is what a careful reader would have allowed, whatever the headers say."""

import gzip
import os
import stat
import tarfile
import zipfile
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.sources.archives import LIMITS, ArchiveKind, kind_of, pack, unpack
from shared.platform.errors import InvalidInput
from tests.unit.shared.deploys.sources.archived import PLAIN, contents, tar_entry, tarred, zip_entry, zipped


@pytest.mark.parametrize("make", [zipped, tarred])
def test_plain_archives_come_out_as_they_are(unpacked, make):
    assert contents(unpacked(make(PLAIN.items()))) == PLAIN


def test_the_kind_is_told_by_content():
    assert kind_of(zipped([])[:4]) is ArchiveKind.ZIP
    assert kind_of(tarred([])[:4]) is ArchiveKind.TAR_GZ
    for other in (b"", b"BZh9", b"<htm", b"7z\xbc\xaf"):
        with pytest.raises(InvalidInput, match=r"neither a zip nor a tar\.gz"):
            kind_of(other)


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


def test_a_catalogue_that_names_a_place_before_the_beginning_is_damage(unpacked):
    data = bytearray(zipped([("app.py", b"x")]))
    data[data.rindex(b"PK\x05\x06") + 16] += 1  # where the catalogue begins, which all places are counted from
    with pytest.raises(InvalidInput, match="before its beginning"):
        unpacked(bytes(data))
