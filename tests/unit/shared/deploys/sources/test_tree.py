"""What a source may consist of, whichever kind of archive brings it."""

import dataclasses
import os
import stat
import tarfile
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.deploys.platforms.azure.builds import MOST_BYTES
from shared.deploys.sources.archives import LIMITS, unpack
from shared.deploys.sources.uploads import UPLOAD_BYTES
from shared.platform.errors import InvalidInput
from tests.unit.shared.deploys.sources.archived import contents, tar_entry, tarred, zip_entry, zipped

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
