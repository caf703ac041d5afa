"""Recipes for sources that bring none."""

import json

import pytest

from shared.deploys.platforms.azure.dockerfile import complete
from shared.platform.errors import TerminalError


@pytest.fixture
def recipe(tmp_path, spec):
    """The recipe of a source with these files: `recipe({"app.py": ""}, build_command=(...))`."""

    def make(files, **changes):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        said = complete(tmp_path, spec(**changes))
        return (tmp_path / "Dockerfile").read_text(), said

    return make


def commands(text, keyword):
    return [json.loads(line.removeprefix(keyword)) for line in text.splitlines() if line.startswith(f"{keyword} [")]


def test_a_python_app_is_installed_and_started(recipe):
    text, said = recipe({"requirements.txt": "flask", "app.py": ""})
    assert text.startswith("FROM python:")
    assert commands(text, "RUN") == [["python", "-m", "pip", "install", "--no-cache-dir", "-r", "requirements.txt"]]
    assert commands(text, "CMD") == [["python", "app.py"]]
    assert "ENV PORT=8080" in text
    assert "python app.py" in said


def test_a_node_app_is_installed_built_and_started(recipe):
    package = json.dumps({"scripts": {"build": "vite build", "start": "node ."}})
    text, _ = recipe({"package.json": package, "package-lock.json": "{}"})
    assert text.startswith("FROM node:")
    assert commands(text, "RUN") == [["npm", "ci"], ["npm", "run", "build"]]
    assert commands(text, "CMD") == [["npm", "start"]]


def test_the_deployments_commands_go_before_the_usual_ones(recipe):
    package = json.dumps({"scripts": {"build": "x", "start": "y"}})
    text, _ = recipe({"package.json": package}, build_command=("npm", "run", "all"), start_command=("node", "s.js"))
    assert commands(text, "RUN") == [["npm", "install"], ["npm", "run", "all"]]
    assert commands(text, "CMD") == [["node", "s.js"]]


def test_commands_reach_no_shell(recipe):
    hostile = ("python", "build.py", "; rm -rf / $(id) `id`\nUSER root")
    text, _ = recipe({"app.py": ""}, build_command=hostile, start_command=hostile)
    assert commands(text, "RUN") == commands(text, "CMD") == [list(hostile)]
    assert "USER root" not in text.splitlines()


def test_an_app_does_not_run_as_root(recipe):
    text, _ = recipe({"index.html": "hello"})
    lines = text.splitlines()
    assert lines.index("USER 10001") > max(index for index, line in enumerate(lines) if line.startswith("COPY"))
    assert commands(text, "CMD") == [["python", "-m", "http.server", "8080"]]


def test_the_sources_own_recipe_is_left_as_it_is(recipe):
    text, said = recipe({"Dockerfile": "FROM scratch\n", "package.json": "{}"}, build_command=("make",))
    assert text == "FROM scratch\n"
    assert "not run" in said


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"README.md": ""}, "unknown-kind"),
        ({"package.json": "{}"}, "no-start-command"),
        ({"package.json": "not json"}, "no-start-command"),
        ({"package.json": "[]"}, "no-start-command"),
        ({"requirements.txt": ""}, "no-start-command"),
    ],
)
def test_a_source_that_does_not_tell_how_it_runs_is_refused_with_a_remedy(recipe, files, code):
    with pytest.raises(TerminalError) as refusal:
        recipe(files)
    assert refusal.value.code == code
    assert refusal.value.remedy
