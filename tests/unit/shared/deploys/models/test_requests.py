"""What may be sent to deploy."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.deploys.models import ContainerSize
from tests.unit.shared.deploys.models.requested import deployment, request


def test_the_replaced_system_s_example_is_taken() -> None:
    taken = request()
    assert taken.container_size == ContainerSize(cpu="1", memory="2Gi")
    assert taken.env_variables["API_KEY"].get_secret_value() == "secret123"


def test_a_request_shows_no_variable_in_its_text() -> None:
    assert "secret123" not in repr(request()) + str(request()) + request().model_dump_json()


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


def test_a_folder_of_the_source_stays_inside() -> None:
    assert deployment(rootDirectory="apps/web").spec().root_directory == "apps/web"
    for wrong in ("../web", "/web", "apps/../..", "a//b", ".hidden"):
        with pytest.raises(ValidationError, match="folder of the source"):
            request(rootDirectory=wrong)


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
