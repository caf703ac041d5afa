"""Which folder of a source is the app."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.deploys.recipes.root import root_of
from shared.platform.errors import TerminalError


def written(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def test_a_single_folder_at_the_top_is_the_source(tmp_path: Path) -> None:
    written(tmp_path, "repository-main/apps/web/x", "repository-main/docs/x")
    assert root_of(tmp_path, None).folder == tmp_path / "repository-main"
    assert root_of(tmp_path, None).note is None
    assert root_of(tmp_path, "apps/web").folder == tmp_path / "repository-main" / "apps" / "web"
    assert root_of(tmp_path, "repository-main").folder == tmp_path / "repository-main"
    with pytest.raises(TerminalError) as refused:
        root_of(tmp_path, "apps/api")
    assert refused.value.code == "root-directory-missing"


@pytest.mark.parametrize(
    ("names", "root"),
    [
        (("README.md", "shop/package.json"), "shop"),
        (("README.md", "LICENSE", ".gitignore", ".github/ci.yml", "docs/guide.md", "shop/app.py"), "shop"),
        (("LICENSE.txt", "shop-1.0/src/x", "shop-1.0/requirements.txt"), "shop-1.0"),
        (("README.md", "site/index.html"), "site"),
        (("README.md", "docs/index.html", "shop/Pipfile"), "shop"),  # a project comes before a site of files
        (("README.md", "release/shop-main/package.json"), "release/shop-main"),
        (("repository-main/README.md", "repository-main/app/main.py"), "repository-main/app"),
        (("README.md", "shop/Dockerfile"), "shop"),
    ],
)
def test_the_only_project_beside_files_that_are_no_programs(tmp_path: Path, names: tuple[str, ...], root: str) -> None:
    found = root_of(written(tmp_path, *names), None)
    assert found.folder == tmp_path / root
    assert f"The app is the folder {root}," in str(found.note)


@pytest.mark.parametrize(
    ("names", "commands"),
    [
        (("package.json", "client/package.json"), ()),
        (("README.md", "public/index.html"), ()),  # the site's own folder
        (("Procfile", "backend/app.py"), ()),
        (("server.js", "client/package.json"), ()),
        (("README.md", "backend/app.py"), ("python", "backend/app.py")),
        (("README.md", "backend/requirements.txt"), ("uvicorn", "backend.main:app")),
        (("README.md", "web/package.json"), ("npm", "--prefix", "web", "start")),
        (("README.md", "a/package.json", "b/app.py"), ("node", "a/server.js")),
        (("README.md", "notes/x.md"), ()),
        ((".hidden/package.json", "README.md"), ()),
    ],
)
def test_what_stays_the_source_as_a_whole(tmp_path: Path, names: tuple[str, ...], commands: tuple[str, ...]) -> None:
    found = root_of(written(tmp_path, *names), None, commands)
    assert (found.folder, found.note) == (tmp_path, None)


def test_several_projects_are_named(tmp_path: Path) -> None:
    written(tmp_path, "README.md", "frontend/package.json", "backend/requirements.txt")
    with pytest.raises(TerminalError, match="several projects, in backend, frontend,") as refused:
        root_of(tmp_path, None)
    assert (refused.value.code, refused.value.remedy) == (
        "unknown-kind",
        "Name the folder of the app as rootDirectory.",
    )
    assert root_of(tmp_path, "frontend").folder == tmp_path / "frontend"


def test_a_folder_that_is_named_beside_a_readme(tmp_path: Path) -> None:
    written(tmp_path, "README.md", "repository-main/apps/web/package.json", "repository-main/package.json")
    assert root_of(tmp_path, "apps/web").folder == tmp_path / "repository-main" / "apps" / "web"
