"""What a platform finds beside a source, and what the owner of the app is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.deploys.recipes import Recipe
from shared.deploys.recipes.plan import FOLDER, SERVER, add_server, start_of, summary_of, usual_environment

HOST = "127.0.0.1"
NODE = Recipe("node", start=("npm", "start"), node="22", notes=("A note.",))
PYTHON = Recipe("python", start=("python", "app.py"), python="3.12")
SITE = Recipe("python", site="dist", assets=(("npm", "run", "build"),), node="22", python="3.12")


def test_an_app_is_started_as_its_recipe_says_and_a_site_by_the_server_that_is_added(tmp_path: Path) -> None:
    assert start_of(PYTHON, HOST) == ("python", "app.py")
    assert start_of(SITE, HOST) == ("python", f"{FOLDER}/{SERVER}", "dist", "$PORT", HOST)
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "of-the-source").touch()
    add_server(tmp_path, SITE)
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [SERVER]
    add_server(tmp_path, PYTHON)
    assert not (tmp_path / FOLDER).exists()


def test_servers_of_python_alone_are_told_the_port() -> None:
    assert usual_environment(PYTHON, HOST) == {
        "GUNICORN_CMD_ARGS": f"--bind={HOST}:$PORT",
        "UVICORN_HOST": HOST,
        "UVICORN_PORT": "$PORT",
        "FLASK_RUN_HOST": HOST,
        "FLASK_RUN_PORT": "$PORT",
    }
    assert usual_environment(NODE, HOST) == usual_environment(SITE, HOST) == {}


@pytest.mark.parametrize(
    ("recipe", "runtime"),
    [
        (NODE, "Node 22"),
        (PYTHON, "Python 3.12"),
        (SITE, "a site built by Node 22"),
        (Recipe("python", site="."), "a site"),
        (
            Recipe("python", start=("gunicorn",), assets=SITE.assets, node="22", python="3.12"),
            "Python 3.12, assets built by Node 22",
        ),
    ],
)
def test_the_owner_is_told_what_the_app_is_run_by(recipe: Recipe, runtime: str) -> None:
    assert summary_of(recipe).runtime == runtime


def test_notes_come_with_the_log_and_another_one_first() -> None:
    summary = summary_of(NODE)
    assert summary.log == "A source for Node 22, to be started by: npm start\nA note."
    assert summary.noting(None) == summary
    noted = summary.noting("The app is a folder.")
    assert noted.notes == ("The app is a folder.", "A note.")
    assert noted.log == f"The app is a folder.\n{summary.log}"
