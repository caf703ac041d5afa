"""What becomes of a commit's files, within the limits of archives."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from shared.deploys.models import GitSource
from shared.deploys.sources.git import clone
from shared.deploys.sources.tree import Limits
from shared.platform.errors import InvalidInput
from tests.integration.shared.deploys.sources.hosts import no
from tests.integration.shared.deploys.sources.repositories import Server, git


async def test_a_large_pack_with_many_changes(server: Server, repository: Path, tmp_path: Path, protocol: bool) -> None:
    server.protocol = protocol
    chance = random.Random(17)
    (repository / "noise.bin").write_bytes(chance.randbytes(8_000_000))
    lines = [f"line {number} {chance.random()}" for number in range(2_000)]
    for number in range(300):  # alike, so that git packs them as changes of one another
        lines[number] = f"changed {number}"
        folder = repository / f"f{number % 7}" / f"g{number % 5}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"data{number}.txt").write_text("\n".join(lines))
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "large")
    git(repository, "repack", "-adfq", "--depth=40", "--window=20")
    await clone(GitSource(url=server.url), tmp_path / "into", cancelled=no)
    names = git(repository, "ls-files").split("\n")
    assert len(names) == 304
    for name in set(names) - {"link"}:
        assert (tmp_path / "into" / name).read_bytes() == (repository / name).read_bytes(), name


@pytest.mark.parametrize("limits", [Limits(entries=2), Limits(file=2), Limits(total=3)])
async def test_the_limits_of_archives_hold(
    server: Server, tmp_path: Path, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.deploys.sources.git.LIMITS", limits)
    with pytest.raises(InvalidInput, match="The source was refused"):
        await clone(GitSource(url=server.url), tmp_path / "into", cancelled=no)
    assert not (tmp_path / "into").exists()


async def test_links_inside_become_copies_and_what_no_build_needs_is_left_out(
    server: Server, repository: Path, tmp_path: Path
) -> None:
    (repository / "lib").mkdir()
    (repository / "lib" / "a.py").write_text("a")
    (repository / "app2.py").symlink_to("app.py")
    (repository / "app3.py").symlink_to("app2.py")
    (repository / "vendored").symlink_to("lib")
    (repository / "dangling").symlink_to("nothing")
    (repository / "lib" / "up").symlink_to("..")
    (repository / "film.mp4").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5000000000\n")
    (repository / "node_modules").mkdir()
    (repository / "node_modules" / "x.js").write_text("")
    git(repository, "add", "-A", "-f", ".")
    added = git(repository, "rev-parse", "HEAD")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{added},themes/dark")
    git(repository, "commit", "-qm", "links")
    into = tmp_path / "into"
    done = await clone(GitSource(url=server.url), into, cancelled=no)
    assert done.submodules == ["themes/dark"]
    assert done.large == ["film.mp4"]
    assert (into / "app2.py").read_text() == (into / "app3.py").read_text() == "two"
    assert (into / "vendored" / "a.py").read_text() == "a"
    assert (into / "lib" / "up").read_text() == ".."  # it lies in the folder that it leads to
    assert (into / "link").read_text() == "/etc/passwd"
    assert not (into / "node_modules").exists()
    assert not (into / "dangling").exists()
