"""What a request to deploy may say, and what becomes of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from shared.deploys.models import (
    PORT,
    SCALES,
    ArchiveSource,
    ContainerSize,
    Deployment,
    DeployRequest,
    document,
)

# As the page of the replaced system shows it.
EXAMPLE = {
    "projectId": "my-app",
    "userId": "user_123",
    "organizationId": "org_456",
    "projectName": "My Application",
    "environment": "production",
    "customDomain": "myapp.com",
    "containerSize": {"cpu": "1", "memory": "2Gi"},
    "envVariables": {"DATABASE_URL": "postgres://...", "API_KEY": "secret123"},
    "buildCommand": "npm run build",
    "startCommand": "npm start",
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def request(**changes) -> DeployRequest:
    return DeployRequest.model_validate({**EXAMPLE, **changes})


def deployment(**changes) -> Deployment:
    given = request(**changes).model_dump(include=set(Deployment.model_fields))
    source = ArchiveSource(hash="0" * 64)
    return Deployment(**given, id="dep_AAAAAAAAAAAA", source=source, created_at=NOW, updated_at=NOW)


def test_the_replaced_system_s_example_is_taken() -> None:
    taken = request()
    assert taken.container_size == ContainerSize(cpu="1", memory="2Gi")
    assert taken.env_variables["API_KEY"].get_secret_value() == "secret123"


def test_a_request_shows_no_variable_in_its_text() -> None:
    assert "secret123" not in repr(request()) + str(request()) + request().model_dump_json()


def test_a_state_document_has_no_place_for_variables() -> None:
    assert not {"env_variables"} & set(Deployment.model_fields)
    assert "secret123" not in json.dumps(document(deployment()))


@pytest.mark.parametrize(
    "command",
    [
        "npm run build && rm -rf /",
        "a | b",
        "echo `id`",
        "echo $(id)",
        "echo 'x",
        "a ; b",
        "npm run a;npm run b",
        "serve&",
        "a>log",
        "echo $HOME",
        "run ${PORT}${X}",
        "echo $1",
        "echo $$",
        "exit $?",
        "cd web",
        "export A=1",
        "source .env",
        ". ./env",
        "python build.py\npython app.py",
        "node dist/*.js",
        "node a?.js",
        "node ~/a.js",
        "~/run",
        "node {a,b}.js",
        "node {1..3}.js",
        "node a.js # note",
        "#note",
        "then",
        "exit 1",
        "X=1",
        "X=1 Y=2",
        "env X=1",
        "X=1 cd web",
    ],
)
def test_defect_shell_strings_from_user_input(command: str) -> None:
    with pytest.raises(ValidationError, match=r"shell|split"):
        request(buildCommand=command)


def test_commands_reach_the_platform_as_words() -> None:
    spec = deployment(startCommand="python -m http.server '8 0'").spec()
    assert spec.start_command == ("python", "-m", "http.server", "8 0")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("gunicorn app:app -b 0.0.0.0:$PORT", ("gunicorn", "app:app", "-b", "0.0.0.0:$PORT")),
        ("serve --port=${PORT:-3000}", ("serve", "--port=$PORT")),
        ("NODE_ENV=production node .", ("env", "NODE_ENV=production", "node", ".")),
        ("node -e 'a && b; c'", ("node", "-e", "a && b; c")),
        ("exec gunicorn app:app", ("gunicorn", "app:app")),
        ("serve --pattern '^/a$'", ("serve", "--pattern", "^/a$")),
        ("node ''", ("node", "")),
        ('node "" a', ("node", "", "a")),
        ("find . -name ';'", ("find", ".", "-name", ";")),
        (
            "serve '*.js' \"a?b\" '~/x' '{a,b}' '# no note' \\*",
            ("serve", "*.js", "a?b", "~/x", "{a,b}", "# no note", "*"),
        ),
        ("hypercorn app:app --bind [::]:$PORT", ("hypercorn", "app:app", "--bind", "[::]:$PORT")),
        ("serve a#b a~b {} {a} ${PORT:-80}", ("serve", "a#b", "a~b", "{}", "{a}", "$PORT")),
        ("NODE_ENV=production PORT=$PORT node .", ("env", "NODE_ENV=production", "PORT=$PORT", "node", ".")),
    ],
)
def test_what_people_write_into_procfiles_needs_no_shell(command: str, words: tuple[str, ...]) -> None:
    request(startCommand=command)
    assert deployment(startCommand=command).spec().start_command == words


def test_a_folder_of_the_source_stays_inside() -> None:
    assert deployment(rootDirectory="apps/web").spec().root_directory == "apps/web"
    for wrong in ("../web", "/web", "apps/../..", "a//b", ".hidden"):
        with pytest.raises(ValidationError, match="folder of the source"):
            request(rootDirectory=wrong)


def test_defect_the_port_changes_when_a_size_is_set() -> None:
    assert deployment(containerSize=None).spec().port == deployment().spec().port == PORT


@pytest.mark.parametrize(
    ("environment", "least", "most", "cpu", "memory"),
    [("development", 0, 2, "0.5", "1Gi"), ("staging", 1, 5, "1", "2Gi"), ("production", 2, 10, "2", "4Gi")],
)
def test_each_environment_has_its_scale(environment, least, most, cpu, memory) -> None:
    scale = deployment(environment=environment, containerSize=None).spec().scale
    assert (scale.min_replicas, scale.max_replicas, scale.size.cpu, scale.size.memory) == (least, most, cpu, memory)
    assert (scale.requests, scale.cpu_percent) == (100, 70)
    own = deployment(environment=environment).spec().scale
    assert own == SCALES[environment].model_copy(update={"size": ContainerSize(cpu="1", memory="2Gi")})


@pytest.mark.parametrize(
    "changes",
    [
        {"projectId": "../other"},
        {"projectId": "a/b"},
        {"organizationId": ""},
        {"branch": "--upload-pack=x"},
        {"commitSha": "abc"},
        {"customDomain": "nodots"},
        {"customDomain": "a..b"},
        {"containerSize": {"cpu": "1", "memory": "4Gi"}},
        {"containerSize": {"cpu": "9", "memory": "18Gi"}},
        {"envVariables": {"NOT A NAME": "x"}},
        {"envVariables": {"PORT": "1"}},
        {"envVariables": {"BIG": "x" * 20_001}},
        {"envVariables": {f"V{n}": "x" for n in range(101)}},
        {"environment": "moon"},
        {"unknownField": 1},
        {"gitUrl": "https://example.com/a/b", "sourceHash": "0" * 64},
    ],
    ids=str,
)
def test_what_cannot_be_deployed_is_refused(changes) -> None:
    with pytest.raises(ValidationError):
        request(**changes)


def test_the_health_path_and_its_time_reach_the_platform() -> None:
    spec = deployment(healthPath="/ready", healthSeconds=90).spec()
    assert (spec.health_path, spec.health_seconds) == ("/ready", 90)
    assert (deployment().spec().health_path, deployment().spec().health_seconds) == (None, None)


@pytest.mark.parametrize(
    "given",
    [
        {"healthPath": "ready"},
        {"healthPath": "/a b"},
        {"healthPath": "//x?y"},
        {"healthSeconds": 9},
        {"healthSeconds": 601},
    ],
)
def test_a_health_path_that_is_none_is_refused(given) -> None:
    with pytest.raises(ValidationError):
        request(**given)
