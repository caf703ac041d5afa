"""A private repository, deployed where there is no program git, on a laptop's platform and on Azure's."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.acceptance.deploys.conftest import APP
from tests.integration.shared.deploys.sources.repositories import Server, git, serving

TOKEN = "glpat-canary-8c1d-never-shown"


@pytest.fixture
def private(tmp_path: Path) -> Generator[Server]:
    folder = tmp_path / "repositories" / "remote"
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "app.py").write_text(APP.format(answer="from git", seconds=0))
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    with serving(folder.parent, tmp_path, "localhost") as server:
        server.token = TOKEN
        yield server


@pytest.fixture(params=["laptop", "azure"])
def app(request: pytest.FixtureRequest, private: Server, tmp_path: Path, running, azure_with):
    """The app, which trusts that one host, and finds no programs on its PATH."""
    trusted = tmp_path / "trusted"  # beside the authority of the stand-in of Azure, which SSL_CERT_FILE names
    trusted.mkdir()
    command = ("openssl", "x509", "-hash", "-noout", "-in", tmp_path / "cert.pem")
    named = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    shutil.copy(tmp_path / "cert.pem", trusted / f"{named}.0")
    (tmp_path / "empty").mkdir()
    changes = {"GIT_HOSTS": "localhost", "SSL_CERT_DIR": str(trusted), "PATH": str(tmp_path / "empty")}
    with (running if request.param == "laptop" else azure_with)(**changes) as started:
        yield started


def test_a_private_repository_is_deployed_without_the_program_git(app, private: Server) -> None:
    request_body = {
        "projectId": "shop",
        "userId": "user",
        "organizationId": app.organization,
        "projectName": "shop",
        "gitUrl": private.url,
        "gitUser": "somebody",
    }
    done = app.wait(app.ask("POST", "/deploy", {**request_body, "gitToken": TOKEN}, status=202)["deploymentId"])
    assert done["status"] == "completed", app.log(done["deploymentId"])
    commit = git(private.root / "remote", "rev-parse", "main")
    assert f"Fetched commit {commit} of {private.url}" in app.log(done["deploymentId"])
    kept = app.ask("GET", f"/deploy/project/shop?organizationId={app.organization}", status=200)
    assert commit in json.dumps(kept)

    wrong = app.wait(
        app.ask("POST", "/deploy", {**request_body, "gitToken": f"{TOKEN}-old"}, status=202)["deploymentId"]
    )
    assert (wrong["status"], wrong["error"]["code"]) == ("failed", "git-failed")
    assert "The host refused gitToken" in wrong["error"]["message"]
    missing = {**request_body, "gitToken": TOKEN, "branch": "master"}
    other = app.wait(app.ask("POST", "/deploy", missing, status=202)["deploymentId"])
    assert "There is no branch or tag 'master'" in other["error"]["message"]
    assert "it has main" in other["error"]["message"]

    ended = (done, wrong, other)
    everything = json.dumps([kept, *ended, *(app.host.orchestration(one["deploymentId"]).history for one in ended)])
    everything += "\n".join([*app.host.output, *(app.log(one["deploymentId"]) for one in ended)])
    assert TOKEN not in everything
    assert base64.b64encode(f"somebody:{TOKEN}".encode()).decode() not in everything
