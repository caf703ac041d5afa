"""What is run to build a source and to start the app, told by its files and the deployment's commands."""

import pytest

from shared.deploys.recipes import PIP
from shared.platform.errors import TerminalError
from tests.unit.shared.deploys.recipes.sources import FLASK, NODE, package


@pytest.mark.parametrize(
    ("files", "install"),
    [
        ({"package.json": NODE}, ("npm", "install", "--include=dev")),
        ({"requirements.txt": ""}, (*PIP, "-r", "requirements.txt")),
    ],
)
def test_the_build_command_comes_after_the_dependencies_and_in_place_of_the_usual_build(of, files, install):
    found = of(files, build=("make",), start=("serve", "it"))
    assert (found.install, found.build, found.start) == ((install,), (("make",),), ("serve", "it"))


def test_a_site_of_files_has_no_start_of_its_own(of):
    found = of({"index.html": ""})
    assert (found.start, found.site) == ((), ".")


@pytest.mark.parametrize(("program", "runtime"), [("node", "node"), ("npm", "node"), ("python3", "python")])
def test_a_start_command_tells_what_runs_a_source_that_does_not(of, program, runtime):
    assert of({"server": "", "index.html": ""}, start=(program, "server")).runtime == runtime


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"README.md": ""}, "unknown-kind"),
        ({"package.json": "{}"}, "no-start-command"),
        ({"package.json": "not json"}, "unreadable-file"),
        ({"package.json": "[]"}, "unreadable-file"),
        ({"package.json": '{"a":' * 100_000 + "1" + "}" * 100_000}, "unreadable-file"),
        ({"package.json": '{"scripts": 3}'}, "no-start-command"),
        ({"requirements.txt": "", "index.html": ""}, "no-start-command"),
    ],
)
def test_a_source_that_does_not_tell_how_it_runs_is_refused_with_a_remedy(of, files, code):
    with pytest.raises(TerminalError) as refusal:
        of(files)
    assert refusal.value.code == code
    assert refusal.value.remedy


def test_a_procfile_says_how_the_app_is_started(of):
    found = of(
        {"requirements.txt": "flask", "app.py": FLASK, "Procfile": "release: x\nweb: gunicorn app:app -b :${PORT}\n"}
    )
    assert found.start == ("gunicorn", "app:app", "-b", ":$PORT")
    assert of({}, start=("python", "app.py")).start == ("python", "app.py")


def test_a_procfile_that_needs_a_shell_is_refused_with_a_remedy(of):
    with pytest.raises(TerminalError, match="'&&' is for a shell") as refused:
        of({"app.py": "", "Procfile": "web: python manage.py migrate && gunicorn app\n"})
    assert refused.value.code == "shell-command"
    assert "send startCommand: gunicorn app (" in str(refused.value.remedy)


def test_a_site_with_tools_of_node_is_served_as_without_them(of):
    tools = package(scripts={"format": "prettier -w ."}, devDependencies={"prettier": "3"})
    found = of({"package.json": tools, "index.html": "<p>"})
    assert (found.runtime, found.site, found.install, found.assets, found.start) == ("python", ".", (), (), ())
    started = of({"package.json": tools, "index.html": "<p>"}, start=("npx", "serve"))
    assert (started.runtime, started.site, started.start) == ("node", None, ("npx", "serve"))


def test_a_python_app_with_assets_of_node_has_both(of):
    node = package(scripts={"build": "tailwindcss -o app.css"}, devDependencies={"tailwindcss": "4"})
    found = of({"package.json": node, "requirements.txt": "flask\ngunicorn", "app.py": FLASK})
    assert (found.runtime, len(found.assets), found.install) == ("python", 2, ((*PIP, "-r", "requirements.txt"),))
    assert found.start[2] == "gunicorn"


def test_versions_that_are_not_used_are_said(of):
    notes = of({"package.json": package(engines={"node": "18.x"}, scripts={"start": "node ."})}).notes
    said = "The source asks for Node 18.x, which is not there (20, 22, 24); it is built and run by Node 20."
    assert notes == (said,)
    assert of({"package.json": package(engines={"node": ">=18"}, scripts={"start": "node ."})}).notes == ()
