"""Dockerfiles for sources that bring none."""

import json

import pytest

from shared.deploys.platforms.azure.dockerfile import complete


@pytest.fixture
def dockerfile(tmp_path, spec):
    """The Dockerfile of a source with these files: `dockerfile({"app.py": ""}, build_command=(...))`."""

    def make(files, **changes):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        log = complete(tmp_path, spec(**changes)).log
        return (tmp_path / "Dockerfile").read_text(), log

    return make


def commands(text, keyword):
    return [json.loads(line.removeprefix(keyword)) for line in text.splitlines() if line.startswith(f"{keyword} [")]


def test_a_recipe_is_installed_built_and_started(dockerfile):
    package = json.dumps({"scripts": {"build": "vite build", "start": "node ."}})
    text, log = dockerfile({"package.json": package, "package-lock.json": "{}"})
    assert text.startswith("FROM node:")
    assert commands(text, "RUN") == [["npm", "ci", "--include=dev"], ["npm", "run", "build"]]
    assert commands(text, "CMD") == [["npm", "start"]]
    assert "ENV PORT=8080" in text
    assert "npm start" in log


def test_servers_of_python_find_the_port_though_their_command_does_not_name_it(dockerfile):
    text, _ = dockerfile({"app.py": ""}, start_command=("gunicorn", "--config", "gunicorn_config.py", "app:app"))
    assert "ENV GUNICORN_CMD_ARGS=--bind=0.0.0.0:8080" in text.splitlines()
    assert {"ENV UVICORN_HOST=0.0.0.0", "ENV UVICORN_PORT=8080", "ENV FLASK_RUN_PORT=8080"} <= set(text.splitlines())


def test_commands_reach_no_shell(dockerfile):
    hostile = ("python", "build.py", "; rm -rf / $(id) `id`\nUSER root")
    text, _ = dockerfile({"app.py": ""}, build_command=hostile, start_command=hostile)
    assert commands(text, "RUN") == commands(text, "CMD") == [list(hostile)]
    assert "USER root" not in text.splitlines()


def test_an_app_does_not_run_as_root(dockerfile):
    text, _ = dockerfile({"index.html": "hello"})
    lines = text.splitlines()
    assert "GUNICORN" not in text
    assert lines.index("USER 10001") > max(index for index, line in enumerate(lines) if line.startswith("COPY"))
    assert commands(text, "CMD") == [["python", ".manifold/site.py", ".", "8080", "0.0.0.0"]]


def test_the_sources_own_dockerfile_is_left_as_it_is(dockerfile):
    text, log = dockerfile({"Dockerfile": "FROM scratch\n", "package.json": "{}"}, build_command=("make",))
    assert text == "FROM scratch\n"
    assert "not run" in log


def test_a_site_is_built_by_node_and_served_alone(dockerfile, tmp_path):
    package = json.dumps({"scripts": {"build": "vite build", "dev": "vite"}, "devDependencies": {"vite": "7"}})
    text, _ = dockerfile({"package.json": package})
    first, second = text.split("FROM python:")
    assert first.startswith("FROM node:")
    assert commands(first, "RUN") == [["npm", "install", "--include=dev"], ["npm", "run", "build"]]
    assert "COPY --from=assets /app/dist /app/dist" in second
    assert "COPY . ." not in second
    assert commands(text, "CMD") == [["python", ".manifold/site.py", "dist", "8080", "0.0.0.0"]]
    assert (tmp_path / ".manifold" / "site.py").is_file()


def test_the_port_is_put_into_the_start_command(dockerfile):
    text, _ = dockerfile({"app.py": ""}, start_command=("gunicorn", "-b", "0.0.0.0:$PORT", "app:app"))
    assert commands(text, "CMD") == [["gunicorn", "-b", "0.0.0.0:8080", "app:app"]]


def test_variables_that_are_no_secrets_are_there_while_it_is_built(dockerfile):
    package = json.dumps({"scripts": {"build": "vite build"}, "devDependencies": {"vite": "7"}})
    text, _ = dockerfile({"package.json": package}, plain_variables=("VITE_API",))
    lines = text.splitlines()
    assert lines.index("ARG VITE_API") < lines.index('RUN ["npm", "run", "build"]')
