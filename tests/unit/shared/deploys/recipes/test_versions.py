"""Which versions a source asks for, in the ways that npm, nvm, pip, pyenv, Pipenv, Poetry and Heroku write them."""

import json

import pytest

from shared.deploys.recipes import Versions, recipe_of
from shared.deploys.recipes.versions import node_version, python_version

THERE = Versions(node=("22", "20", "24"), python=("3.12", "3.10", "3.11", "3.13", "3.14"))


@pytest.mark.parametrize(
    ("wanted", "version"),
    [
        ("20", "20"),
        ("v20.11.1", "20"),
        ("20.x", "20"),
        ("^20.1.0", "20"),
        ("~24.0", "24"),
        (">=10", "22"),
        (">=23", "24"),
        (">22", "24"),
        (">22.1", "22"),
        ("<22", "20"),
        ("<22.0.0", "20"),
        ("<22.5", "22"),
        ("<=20", "20"),
        (">=18 <21", "20"),
        ("18.x || 20.x", "20"),
        ("18 - 20", "20"),
        ("18 || >=24", "24"),
        ("lts/*", "22"),
        ("*", "22"),
        ("", "22"),
    ],
)
def test_a_range_of_node_takes_the_usual_version_that_fits_else_the_newest(tmp_path, wanted, version):
    (tmp_path / "package.json").write_text(json.dumps({"engines": {"node": wanted}}))
    assert node_version(tmp_path, THERE.node) == (version, None)


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({".python-version": "# for the project\n3.14\n"}, "3.14"),
        ({".python-version": "3.11.7"}, "3.11"),
        ({"runtime.txt": "python-3.10.13"}, "3.10"),
        ({"Pipfile": '[requires]\npython_version = "3.13"'}, "3.13"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.13"'}, "3.14"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.9,<3.12"'}, "3.11"),
        ({"pyproject.toml": '[project]\nrequires-python = "~=3.13"'}, "3.14"),
        ({"pyproject.toml": '[project]\nrequires-python = "~=3.10.2"'}, "3.10"),
        ({"pyproject.toml": '[project]\nrequires-python = "==3.11.*"'}, "3.11"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.8,!=3.12.*"'}, "3.14"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.8,!=3.12.1"'}, "3.12"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.13"'}, "3.14"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "~3.10"'}, "3.10"),
        ({"runtime.txt": "python-3.10", ".python-version": "3.11"}, "3.11"),
        ({}, "3.12"),
    ],
)
def test_each_way_to_ask_for_a_python_is_read(tmp_path, files, version):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert python_version(tmp_path, THERE.python) == (version, None)


def test_files_of_nvm_come_before_engines(tmp_path):
    (tmp_path / "package.json").write_text(json.dumps({"engines": {"node": "24"}}))
    (tmp_path / ".nvmrc").write_text("v20\n")
    assert node_version(tmp_path, THERE.node)[0] == "20"
    (tmp_path / ".node-version").write_text("22.1.0")
    assert node_version(tmp_path, THERE.node)[0] == "22"


@pytest.mark.parametrize(("wanted", "there", "taken"), [("3.9", ("3.12", "3.10"), "3.10"), ("3.14", ("3.11",), "3.11")])
def test_what_is_not_there_is_said_and_the_next_newer_one_taken(tmp_path, wanted, there, taken):
    (tmp_path / ".python-version").write_text(wanted)
    (tmp_path / "app.py").touch()
    found = recipe_of(tmp_path, available=Versions(python=there))
    assert found.python == taken
    [note] = found.notes
    assert note.startswith(f"The source asks for Python {wanted}, which is not there (")
    assert note.endswith(f"it is built and run by Python {taken}.")


def test_what_does_not_run_is_not_spoken_of(tmp_path):
    (tmp_path / "package.json").write_text(json.dumps({"scripts": {"start": "node ."}}))
    (tmp_path / ".python-version").write_text("3.6")
    assert recipe_of(tmp_path).notes == ()
