"""What the platform makes of a source's files: the table of docs/deploys.md, row by row."""

import pytest

from local.apps.recipes import NotBuildable, Recipe, recipe

VENV = ("python", "-m", "venv", ".venv")
PIP = ("python", "-m", "pip", "install")


def source(folder, **files):
    for name, text in files.items():
        (folder / name.replace("__", ".").replace("_", "-")).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"app__py": ""}, Recipe((), ("python", "app.py"))),
        ({"main__py": "", "app__py": ""}, Recipe((), ("python", "app.py"))),
        (
            {"requirements__txt": "", "main__py": ""},
            Recipe((VENV, (*PIP, "-r", "requirements.txt")), ("python", "main.py")),
        ),
        ({"pyproject__toml": "", "app__py": ""}, Recipe((VENV, (*PIP, ".")), ("python", "app.py"))),
        (
            {"package__json": '{"scripts": {"build": "b", "start": "s"}}', "package_lock__json": "{}"},
            Recipe((("npm", "ci"), ("npm", "run", "build")), ("npm", "start")),
        ),
        ({"package__json": '{"scripts": {"start": "s"}}'}, Recipe((("npm", "install"),), ("npm", "start"))),
        ({"index__html": "", "style__css": ""}, Recipe((), ())),
        ({"index__html": "", "app__py": ""}, Recipe((), ("python", "app.py"))),
    ],
)
def test_a_source_is_told_by_its_files(tmp_path, files, expected):
    assert recipe(source(tmp_path, **files), (), ()) == expected


def test_the_deployments_own_commands_take_the_place_of_the_usual_ones(tmp_path):
    folder = source(tmp_path, package__json='{"scripts": {"build": "b", "start": "s"}}')
    found = recipe(folder, ("make",), ("node", "x.js"))
    assert found == Recipe((("npm", "install"), ("make",)), ("node", "x.js"))


def test_a_start_command_tells_what_a_bare_source_is(tmp_path):
    assert recipe(source(tmp_path, server__js=""), (), ("node", "server.js")).start == ("node", "server.js")


@pytest.mark.parametrize("files", [{}, {"readme__md": ""}, {"package__json": "no json"}, {"requirements__txt": ""}])
def test_what_cannot_be_told_is_refused_with_the_remedy(tmp_path, files):
    with pytest.raises(NotBuildable, match=r"Add|add"):
        recipe(source(tmp_path, **files), (), ())
