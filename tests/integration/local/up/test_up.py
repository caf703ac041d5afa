"""`python -m local.up` with the real services: all ready, watched, stopped, and none left behind."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from azure.core.exceptions import HttpResponseError
from azure.servicebus import ServiceBusClient
from azure.servicebus.exceptions import ServiceBusError
from azure.storage.blob import BlobServiceClient

from local.up import Options, Ports, StartError, settings, stack
from local.up.services import Service, module
from local.up.supervised import Supervised
from tests.present import present


@pytest.fixture
def folder():
    """Below /tmp itself: pytest's own folders are closed to the user that runs PostgreSQL under root."""
    path = Path("/tmp") / f"manifold-up-{os.getpid()}-{time.monotonic_ns()}"
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path)


def _flags(ports: Ports, folder: Path, *more: str) -> list[str]:
    flags = [f"--{name.replace('_', '-')}-port={port}" for name, port in vars(ports).items()]
    return [sys.executable, "-m", "local.up", *flags, "--data", str(folder), "--diamonds", "100", *more]


@contextmanager
def _up(*arguments) -> Generator[subprocess.Popen[str]]:
    command = _flags(*arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:  # a failed check must not wait for services that run on
                family = _family(process)
                process.kill()
                psutil.wait_procs(family, timeout=30)


def _read_until(process: subprocess.Popen[str], pattern: str) -> str:
    seen = ""
    assert process.stdout
    for line in process.stdout:
        seen += line
        if re.search(pattern, line):
            return seen
    raise AssertionError(f"{pattern!r} was not said: {seen}\n{present(process.stderr).read()}")


def _family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def test_everything_starts_serves_stops_and_finds_its_data_again(folder):
    ports = Ports.free()
    with _up(ports, folder) as process:
        report = _read_until(process, r"^ready 8 services")
        assert re.search(rf"^host +\d+ +\d+ +http://127.0.0.1:{ports.host}$", report, re.MULTILINE)
        assert f"Console  http://127.0.0.1:{ports.host}/console" in report
        ready = httpx.get(f"http://127.0.0.1:{ports.host}/health/ready", timeout=30)
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        with psycopg.connect(f"postgresql://manifold:manifold@127.0.0.1:{ports.postgres}/manifold") as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        _check_what_others_of_the_machine_reach(ports, folder)
        with _up(Ports.free(), folder) as second:
            assert f"The services on {folder} already run" in second.communicate(timeout=20)[1]
            assert second.returncode == 1
        family = _family(process)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "", "")
    assert len(family) >= 8
    assert not psutil.wait_procs(family, timeout=10)[1]
    assert "database system is shut down" in (folder / "logs" / "postgres.log").read_text()
    with _up(ports, folder, "--without", "host") as process:
        _read_until(process, r"^ready 7 services")
        with psycopg.connect(f"postgresql://manifold:manifold@127.0.0.1:{ports.postgres}/manifold") as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
            assert connection.execute("SELECT count(*) FROM diamonds.pricing_rules").fetchone() is not None
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0


def _check_that_orchestrations_are_closed(ports: Ports, folder: Path):
    """A deployed app reads and ends nobody's orchestrations, by the public port or by that of the app's own client."""
    key = json.loads((folder / "host" / "keys.json").read_text())["master"]
    for path in ("runtime/webhooks/durabletask/instances", "admin/functions"):
        url = f"http://127.0.0.1:{ports.host}/{path}"
        assert httpx.get(url).status_code == 401
        assert httpx.get(url, headers={"x-functions-key": key}).status_code == 200
    [host] = [one for one in psutil.process_iter(["cmdline"]) if str(folder / "host") in (one.info["cmdline"] or [])]
    listening = {one.laddr.port for one in host.net_connections() if one.status == psutil.CONN_LISTEN}
    assert len(listening) == 2
    (own,) = listening - {ports.host}
    for path in ("instances", "durabletask/instances"):
        assert httpx.get(f"http://127.0.0.1:{own}/{path}").status_code == 404


def _check_what_others_of_the_machine_reach(ports: Ports, folder: Path):
    """Folders are closed, and keys that are printed in documentation and examples open nothing."""
    open_to_walk = {"apps"} if os.geteuid() == 0 else set()  # where each app's own user has to come to its folder
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_dir()}
    assert {name: mode for name, mode in modes.items() if mode != 0o700} == dict.fromkeys(open_to_walk, 0o711)
    kept = folder / "settings.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    values = json.loads(kept.read_text())["Values"]
    known = settings(ports)
    for token, status in ((known["LOCAL_PLATFORM_TOKEN"], 401), (values["LOCAL_PLATFORM_TOKEN"], 200)):
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"http://127.0.0.1:{ports.apps}/v1/apps", headers=headers).status_code == status
    with (
        BlobServiceClient.from_connection_string(known["STORAGE_CONNECTION"], retry_total=0) as blobs,
        pytest.raises(HttpResponseError, match="AuthorizationFailure"),
    ):
        blobs.get_service_properties()
    with BlobServiceClient.from_connection_string(values["STORAGE_CONNECTION"]) as blobs:
        assert blobs.get_service_properties()
    _check_that_orchestrations_are_closed(ports, folder)
    _peek(values)
    with pytest.raises(ServiceBusError, match="client-error"):
        _peek(known)


def _peek(values: dict[str, str]):
    with (
        ServiceBusClient.from_connection_string(values["ServiceBus"], retry_total=0) as bus,
        bus.get_queue_receiver("deployments", max_wait_time=1) as receiver,
    ):
        receiver.peek_messages()


def test_a_crash_is_said_and_mended_and_kill_9_leaves_nothing(folder):
    some = [f"--without={name}" for name in ("azurite", "servicebus", "cosmos", "apps", "supplier", "host")]
    ports = Ports.free()
    with _up(ports, folder, *some) as process:
        _read_until(process, r"^ready 2 services")
        sink = next(p for p in _family(process) if "local.smtp" in p.cmdline())
        sink.kill()
        _read_until(process, r"^smtp ended with code -9; starting it again in 1 s")
        _read_until(process, r"^smtp is ready again")
        assert httpx.get(f"http://127.0.0.1:{ports.mail}/messages").json() == []
        family = _family(process)
        process.kill()
        process.communicate(timeout=30)
    assert len(family) >= 3
    assert not psutil.wait_procs(family, timeout=30)[1]
    assert "database system is shut down" in (folder / "logs" / "postgres.log").read_text()


def test_busy_ports_are_said_before_anything_starts(folder, postgres):
    ports = Ports(**{**vars(Ports.free()), "postgres": postgres.port})
    with _up(ports, folder) as process:
        output, errors = process.communicate(timeout=20)
    assert (process.returncode, output) == (1, "")
    assert errors.startswith(f"Port {postgres.port} for postgres is in use.")
    assert "--postgres-port or set MANIFOLD_POSTGRES_PORT" in errors
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("flag", "says"),
    [("--without=redis", "There is no service redis"), ("--set=NIVODA", "'NIVODA' is not NAME=VALUE")],
)
def test_flags_that_mean_nothing_are_named(folder, flag, says):
    with _up(Ports.free(), folder, flag) as process:
        assert says in process.communicate(timeout=20)[1]
    assert process.returncode != 0


async def test_as_a_library_a_failed_start_stops_the_others(folder):
    started = []

    class Noted(Supervised):
        async def start(self):
            await super().start()
            started.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("local.up.lifecycle.Supervised", Noted)
        options = Options(
            ports=Ports.free(),
            folder=folder,
            without=frozenset({"azurite", "postgres", "servicebus", "cosmos", "apps", "host"}),
            supplier_flags=("--diamonds", "many"),
        )
        with pytest.raises(StartError, match=r"supplier ended with code 2: .*invalid int value: 'many'"):
            async with stack(options):
                pass
    assert [s.service.name for s in started] == ["smtp"]
    assert started[0].pid is None


async def test_a_host_without_its_app_is_no_start(folder, monkeypatch):
    (folder / "app").mkdir()
    (folder / "app" / "host.json").write_text('{"version": "2.0"}')
    (folder / "app" / "function_app.py").write_text("raise RuntimeError('no settings')")
    ports = Ports.free()
    host = Service("host", module("local.host", folder / "app", "--port", ports.host), f"http://127.0.0.1:{ports.host}")
    monkeypatch.setattr("local.up.lifecycle.services", lambda *_: [host])
    without = frozenset({"azurite", "postgres", "servicebus", "cosmos", "apps", "supplier", "smtp"})
    with pytest.raises(StartError, match=r"The host runs, but the app does not: Exception: RuntimeError: no settings"):
        async with stack(Options(ports=ports, folder=folder, without=without)):
            pass


async def test_as_a_library_it_gives_the_settings_and_a_table(folder):
    without = frozenset({"azurite", "postgres", "servicebus", "cosmos", "apps", "host"})
    options = Options(ports=Ports.free(), folder=folder, without=without, overrides={"NIVODA_REQUESTS_PER_SECOND": "0"})
    async with stack(options) as running:
        assert running.settings["NIVODA_REQUESTS_PER_SECOND"] == "0"
        async with httpx.AsyncClient() as client:
            health = await client.get(running.settings["NIVODA_ENDPOINT"].replace("graphql", "health"))
        assert health.json() == {"status": "ok", "diamonds": 53940}
        assert running["supplier"].ready_ms > 0
        assert str(running["smtp"].pid) in running.table()
        assert json.dumps(running.settings)
