"""The supervisor's HTTP API: who may ask it, what it refuses, and when it does not start."""

import httpx
import pytest

from local.apps.testing import AppsProcess
from shared.deploys.platforms.local.platform import LocalPlatform
from shared.platform.errors import NotFound, TerminalError, TransientError
from tests.fresh_settings import forget_settings


class TestRequests:
    async def test_only_who_has_the_token_is_heard(self, local_harness):
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            answer = await local_harness.get(f"{local_harness.process.endpoint}/v1/apps", headers=headers)
            assert answer.status_code == 401
        assert (await local_harness.get(f"{local_harness.process.endpoint}/health")).json() == {"status": "ok"}

    async def test_another_token_is_explained(self, local_harness, recorder, monkeypatch):
        monkeypatch.setenv("LOCAL_PLATFORM_TOKEN", "another-token-altogether")
        forget_settings()
        spec = await local_harness.spec()
        with pytest.raises(TerminalError, match="refused this app's token") as refusal:
            await LocalPlatform().validate(spec, recorder.step)
        assert "LOCAL_PLATFORM_TOKEN" in str(refusal.value.remedy)

    async def test_a_platform_that_does_not_run_is_worth_another_try(self, local_harness, recorder):
        spec = await local_harness.spec()
        local_harness.process.stop()
        with pytest.raises(TransientError, match="did not answer") as failure:
            await local_harness.platform.validate(spec, recorder.step)
        assert "make up" in str(failure.value.remedy)

    async def test_senseless_orders_get_plain_answers(self, local_harness):
        headers = {"Authorization": f"Bearer {local_harness.process.token}"}
        one = "/v1/deployments/dep_AAAAAAAAAAAA"
        app = {"organization": "org", "environment": "staging"}
        async with httpx.AsyncClient(trust_env=False, headers=headers) as http:
            for method, path, body, status in (
                ("PUT", "/v1/deployments/../../etc", {**app, "project": "p"}, 404),
                ("PUT", "/v1/deployments/dep.x", {**app, "project": "p"}, 400),
                ("PUT", one, {**app, "project": "p", "organization": "../.."}, 400),
                ("POST", f"{one}/build", {"memory": 2**30, "seconds": 1}, 404),
                ("POST", f"{one}/build", {"memory": -1, "seconds": 1}, 400),
                ("POST", f"{one}/promote", None, 404),
                ("GET", f"{one}/build?after=x", None, 400),
                ("GET", "/v1/apps/org/none/staging/log", None, 404),
            ):
                answer = await http.request(method, local_harness.process.endpoint + path, json=body)
                assert (path, answer.status_code) == (path, status)

    async def test_a_hostile_source_is_refused_here_too(self, local_harness, recorder):
        spec = await local_harness.spec()
        await local_harness.platform.provision(spec, recorder.step)
        headers = {"Authorization": f"Bearer {local_harness.process.token}"}
        url = f"{local_harness.process.endpoint}/v1/deployments/{spec.deployment_id}/source"
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.put(url, content=b"<html>", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "source-refused")

    async def test_an_app_can_be_removed_and_its_log_read(self, local_harness, recorder):
        spec = await local_harness.spec()
        await local_harness.through(spec)
        headers = {"Authorization": f"Bearer {local_harness.process.token}"}
        url = f"{local_harness.process.endpoint}/v1/apps/org/shop/development"
        async with httpx.AsyncClient(trust_env=False, headers=headers) as http:
            assert "starting version" in (await http.get(f"{url}/log")).text
            assert (await http.delete(url)).status_code == 204
        assert await local_harness.who_serves() is None
        assert not local_harness.processes(spec.deployment_id)
        with pytest.raises((NotFound, TerminalError)):
            await local_harness.platform.provision(spec, recorder.step)


class TestStart:
    def test_a_second_one_on_the_same_data_is_refused(self, apps_folder, capfd):
        first = AppsProcess(apps_folder / "apps")
        with first.running(), pytest.raises(RuntimeError, match="exit code 1"):
            AppsProcess(apps_folder / "apps").start()
        assert "is used by another process" in capfd.readouterr().err

    def test_without_a_token_it_does_not_start(self, apps_folder, capfd, monkeypatch):
        monkeypatch.setattr("local.apps.testing.TOKEN", "short")
        with pytest.raises(RuntimeError, match="exit code 1"):
            AppsProcess(apps_folder / "apps").start()
        assert "LOCAL_PLATFORM_TOKEN must be set" in capfd.readouterr().err
