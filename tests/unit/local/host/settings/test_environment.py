import json
import os

import pytest

from local.host.settings.environment import Environment
from local.host.settings.options import HostOptions

STAGE = "AZURE_FUNCTIONS_ENVIRONMENT"


@pytest.fixture
def applied(tmp_path, monkeypatch):
    monkeypatch.delenv(STAGE, raising=False)
    environments = []

    def apply(values):
        (tmp_path / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
        environments.append(Environment())
        environments[-1].apply(HostOptions(app=tmp_path))

    yield apply
    for one in environments:
        one.restore()


def test_the_stage_is_development_whatever_local_settings_say_but_not_whatever_the_environment_says(
    applied, monkeypatch, host_logs
):
    applied({STAGE: "Staging"})
    assert os.environ[STAGE] == "Development"
    assert "is 'Staging' in local settings" in host_logs.text
    monkeypatch.setenv(STAGE, "Production")
    applied({STAGE: "Staging"})
    assert os.environ[STAGE] == "Production"


def test_functions_find_the_apps_folder_as_in_the_worker_and_everything_is_put_back(tmp_path, monkeypatch):
    monkeypatch.delenv("FUNCTIONS_APPLICATION_DIRECTORY", raising=False)
    before = dict(os.environ)
    environment = Environment()
    environment.apply(HostOptions(app=tmp_path))
    assert os.environ["FUNCTIONS_APPLICATION_DIRECTORY"] == str(tmp_path)
    environment.restore()
    assert dict(os.environ) == before
