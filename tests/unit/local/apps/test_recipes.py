"""What is run when a deployment names no command."""

import pytest

from local.apps.recipes import NoRecipeError, Recipe, recipe


def source(folder, **files):
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_commands_of_the_deployment_come_first(tmp_path):
    found = recipe(source(tmp_path, package__json='{"scripts": {"start": "x"}}'), ("make",), ("serve", "it"))
    assert found == Recipe((("make",),), ("serve", "it"))


def test_node(tmp_path):
    source(tmp_path, package__json='{"scripts": {"start": "node ."}}')
    assert recipe(tmp_path, (), ()) == Recipe((("npm", "install"),), ("npm", "start"))
    source(tmp_path, package__json='{"scripts": {"start": "node .", "build": "vite"}}')
    assert recipe(tmp_path, (), ()).build == (("npm", "install"), ("npm", "run", "build"))


@pytest.mark.parametrize("name", ["app", "main"])
def test_python(tmp_path, name):
    source(tmp_path, **{f"{name}__py": ""})
    assert recipe(tmp_path, (), ()) == Recipe((), ("python", f"{name}.py"))
    source(tmp_path, requirements__txt="flask")
    found = recipe(tmp_path, (), ())
    assert found.start == (".venv/bin/python", f"{name}.py")
    assert found.build[0] == ("python", "-m", "venv", ".venv")
    assert found.build[1][-1] == "requirements.txt"


def test_a_site_of_files_listens_on_the_port(tmp_path):
    assert recipe(source(tmp_path, index__html=""), (), (), "4711").start[-1] == "4711"


@pytest.mark.parametrize("text", ["{", "[]", '{"scripts": 3}', '{"scripts": {"test": "x"}}'])
def test_a_source_that_tells_nothing_is_refused(tmp_path, text):
    with pytest.raises(NoRecipeError, match=r"no package\.json with a start script"):
        recipe(source(tmp_path, package__json=text), ("make",), ())
