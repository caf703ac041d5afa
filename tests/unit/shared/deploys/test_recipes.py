"""What is run to build a source and to start the app, told by its files and the deployment's commands."""

import json

import pytest

from shared.deploys.recipes import PIP, recipe
from shared.platform.errors import TerminalError

NODE = json.dumps({"scripts": {"start": "node .", "build": "vite"}})


@pytest.fixture
def of(tmp_path):
    """The recipe of a source with these files: `of({"app.py": ""}, build=(...), start=(...))`."""

    def make(files, **commands):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        return recipe(tmp_path, **commands)

    return make


def test_node_installs_builds_and_starts(of):
    found = of({"package.json": NODE})
    assert (found.runtime, found.install, found.build, found.start) == (
        "node",
        (("npm", "install"),),
        (("npm", "run", "build"),),
        ("npm", "start"),
    )
    assert of({"package-lock.json": "{}"}).install == (("npm", "ci"),)


@pytest.mark.parametrize("name", ["app.py", "main.py"])
def test_python_installs_what_it_declares_and_starts_its_script(of, name):
    assert of({name: ""}).install == ()
    assert of({"pyproject.toml": ""}).install == ((*PIP, "."),)
    found = of({"requirements.txt": "flask"})
    assert (found.install, found.start) == (((*PIP, "-r", "requirements.txt"),), ("python", name))


@pytest.mark.parametrize(
    ("files", "install"),
    [({"package.json": NODE}, ("npm", "install")), ({"requirements.txt": ""}, (*PIP, "-r", "requirements.txt"))],
)
def test_the_build_command_comes_after_the_dependencies_and_in_place_of_the_usual_build(of, files, install):
    found = of(files, build=("make",), start=("serve", "it"))
    assert (found.install, found.build, found.start) == ((install,), (("make",),), ("serve", "it"))


def test_a_site_of_files_has_no_start_of_its_own(of):
    assert of({"index.html": ""}).start == ()


@pytest.mark.parametrize(("program", "runtime"), [("node", "node"), ("npm", "node"), ("python3", "python")])
def test_a_start_command_tells_what_runs_a_source_that_does_not(of, program, runtime):
    assert of({"server": "", "index.html": ""}, start=(program, "server")).runtime == runtime


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"README.md": ""}, "unknown-kind"),
        ({"package.json": "{}"}, "no-start-command"),
        ({"package.json": "not json"}, "no-start-command"),
        ({"package.json": "[]"}, "no-start-command"),
        ({"package.json": '{"scripts": 3}'}, "no-start-command"),
        ({"requirements.txt": "", "index.html": ""}, "no-start-command"),
    ],
)
def test_a_source_that_does_not_tell_how_it_runs_is_refused_with_a_remedy(of, files, code):
    with pytest.raises(TerminalError) as refusal:
        of(files)
    assert refusal.value.code == code
    assert refusal.value.remedy
