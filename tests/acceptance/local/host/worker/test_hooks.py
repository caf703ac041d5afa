"""Worker extensions run where Azure's worker runs them."""

import pytest

from local.host.testing import InProcessHost
from local.host.worker import hooks


@pytest.fixture
def host(apps, monkeypatch):
    def host(setting: str | None, *, python: tuple[int, int] = (99, 0)):
        monkeypatch.setattr(hooks, "_WITHOUT", python)
        return InProcessHost(apps / "hooked", settings={hooks.ENABLED: setting} if setting else {})

    return host


def seen(app, path):
    return app.request("GET", f"/api/{path}").body.decode().splitlines()


def test_an_extension_runs_around_every_function(host):
    with host(" True ") as app:
        assert seen(app, "plain") == [
            "init",
            *(f"loaded {name}" for name in ("plain", "waits", "fails_before", "raises")),
            "before plain req",
        ]
        assert seen(app, "waits")[-2:] == ["after plain 201", "before waits req"]
        assert app.request("GET", "/api/raises").status == 500
        assert seen(app, "fails-before")[-3:] == ["after waits 201", "before raises req", "before fails_before req"]
        assert "RuntimeError: the extension fails" in app.log


@pytest.mark.parametrize(("setting", "python"), [(None, (99, 0)), ("0", (99, 0)), ("1", (3, 0))])
def test_one_that_does_not_run_in_azure_does_not_run_and_is_named(host, setting, python):
    with host(setting, python=python) as app:
        assert seen(app, "plain") == ["init"]
        assert app.log.count("which do not run: ") == 1
        assert "Monitor" in app.log


def test_the_next_app_of_the_process_has_none_of_them(host, apps):
    with host("1"):
        pass
    with InProcessHost(apps / "worker", settings={hooks.ENABLED: "1"}) as app:
        assert app.request("GET", "/api/context").status == 200
        assert "extension" not in app.log
