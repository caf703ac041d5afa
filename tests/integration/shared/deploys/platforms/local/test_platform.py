"""The embedded platform: limits, secrets, traffic, and what is left after crashes and stops."""

import asyncio
import base64
import json
import os
import signal
import stat
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from local.apps.images.building import TRUST
from local.apps.testing import TOKEN
from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.models import SCALES, ContainerSize
from shared.deploys.secrets import secret_store
from shared.platform.errors import TerminalError, TransientError
from tests.fresh_settings import forget_settings
from tests.integration.shared.deploys.platforms.conftest import APP
from tests.present import present


def gone(processes, seconds: float = 5) -> bool:
    return not [p for p in psutil.wait_procs(processes, timeout=seconds)[1] if p.status() != psutil.STATUS_ZOMBIE]


async def failed_build(harness, recorder, script: str, **changes) -> str:
    spec = await harness.custom({"build.py": script, "app.py": ""}, **changes)
    with pytest.raises(TerminalError, match="The build failed") as failure:
        await harness.through(spec, recorder, to="build")
    return failure.value.message


async def eventually(check, seconds=20):
    async with asyncio.timeout(seconds):
        while not (found := await check()):  # noqa: ASYNC110 - it asks another process
            await asyncio.sleep(0.05)
    return found


class TestLimits:
    async def test_time(self, local_harness, recorder, monkeypatch):
        monkeypatch.setenv("DEPLOYMENT_TIMEOUT_MS", "1000")
        monkeypatch.setattr("shared.deploys.platforms.local.platform._GRACE_SECONDS", 0)
        forget_settings()
        logged = await failed_build(local_harness, recorder, "import time; time.sleep(60)")
        assert "it took longer than" in logged

    async def test_cpu(self, local_harness, recorder, monkeypatch):
        monkeypatch.setenv("BUILD_CONTAINER_CPU", "0.25")
        forget_settings()
        burn = "import os, time\nend = time.monotonic() + 3\nwhile time.monotonic() < end: pass\n"
        spec = await local_harness.custom({"build.py": f"{burn}print('used', sum(os.times()[:2]))", "app.py": ""})
        await local_harness.through(spec, recorder, to="build")
        [used] = [line for line in recorder.text.splitlines() if line.startswith("used ")]
        assert float(used.split()[1]) < 2

    async def test_memory_of_all_processes_together(self, local_harness, recorder, monkeypatch):
        monkeypatch.setenv("BUILD_CONTAINER_MEMORY", "0.125")
        forget_settings()
        hold = "x = bytearray(60_000_000); x[::4096] = b'1' * len(x[::4096]); import time; time.sleep(60)"
        greedy = f"import subprocess, sys\nhold = {hold!r}\n"
        greedy += "for one in [subprocess.Popen([sys.executable, '-c', hold]) for _ in range(4)]: one.wait()"
        assert "it used more than 128 MiB of memory" in await failed_build(local_harness, recorder, greedy)
        assert not local_harness.processes("bytearray(60_000_000)")

    async def test_memory_of_one_process(self, local_harness, recorder, monkeypatch):
        monkeypatch.setenv("BUILD_CONTAINER_MEMORY", "0.125")
        forget_settings()
        assert "MemoryError" in await failed_build(local_harness, recorder, "bytearray(500_000_000)")

    async def test_processes(self, local_harness, recorder):
        bomb = "import os, time\nfor _ in range(100_000):\n    if os.fork() == 0: time.sleep(60); os._exit(0)"
        logged = await failed_build(local_harness, recorder, bomb)
        assert "it started more than 256 processes" in logged or "BlockingIOError" in logged
        assert gone(local_harness.processes("build.py dep_"))

    async def test_the_size_of_a_file(self, local_harness, recorder):
        write = "f = open('big', 'wb')\nf.truncate(2_000_000_000)"
        assert "File too large" in await failed_build(local_harness, recorder, write)


async def test_a_running_app_that_takes_too_much_memory_is_ended_and_started_again(local_harness):
    small = SCALES["development"].model_copy(update={"size": ContainerSize(cpu="0.25", memory="0.5Gi")})
    hold = "x = bytearray(b'1') * 200_000_000; import time; time.sleep(60)"
    eat = f"""
import subprocess
def eat(path):
    if path == "/eat":
        for _ in range(4): subprocess.Popen([sys.executable, "-c", {hold!r}])
    return b"ok"
"""
    app = APP.format(version="1", before=eat, body="eat(self.path)", status=200)
    spec = await local_harness.custom({"app.py": app}, scale=small)
    url = (await local_harness.through(spec)).url
    assert (await local_harness.get(f"{url}/eat")).text == "ok"

    async def back():
        [app] = await local_harness.apps()
        return app["restarts"] and (await local_harness.get(url)).is_success

    await eventually(back)


async def test_a_command_is_words_and_no_shell_reads_them(local_harness, recorder):
    files = {"build.py": "import sys; print('words:', sys.argv[1:])", "app.py": ""}
    words = ("python", "build.py", "$HOME", ";", "touch", "pwned", "$(id)")
    spec = await local_harness.custom(files, build_command=words)
    await local_harness.through(spec, recorder, to="build")
    assert "words: ['$HOME', ';', 'touch', 'pwned', '$(id)']" in recorder.text
    assert not list(local_harness.folder.resolve().rglob("pwned"))


async def test_a_command_that_is_not_there_is_named(local_harness, recorder):
    spec = await local_harness.custom({"app.py": ""}, build_command=("no-such-program",))
    with pytest.raises(TerminalError, match="no-such-program could not be started: No such file"):
        await local_harness.through(spec, recorder, to="build")


async def test_a_build_sees_its_own_environment_and_nothing_else(local_harness, recorder, monkeypatch):
    monkeypatch.setenv("ADMIN_API_KEY", "canary-of-the-platform")
    reference = await secret_store().put({"GREETING": "hello"})
    script = (
        "import json, os; print('saw', json.dumps(sorted(os.environ)), os.getuid(), os.getcwd() == os.environ['HOME'])"
    )
    spec = await local_harness.custom({"build.py": script, "app.py": ""}, secrets_reference=reference)
    await local_harness.through(spec, recorder, to="build")
    line = next(line for line in recorder.text.splitlines() if line.startswith("saw"))
    names, uid, at_home = line.removeprefix("saw ").rsplit(" ", 2)
    allowed = {"GREETING", "HOME", "LANG", "LC_CTYPE", "PATH", "PYTHONUNBUFFERED", "TMPDIR"}
    assert set(json.loads(names)) <= allowed | {*TRUST}
    assert at_home == "True"
    assert (os.geteuid() == 0) == (int(uid) >= 2_000_000)


async def test_values_of_variables_are_in_no_log_and_no_open_file(local_harness, recorder):
    canary = "canary-5f1d0c"
    reference = await secret_store().put({"SECRET": canary})
    app = "import os, sys; print('my secret is', os.environ['SECRET'], flush=True); sys.exit(1)"
    build = "import os; print('building with', os.environ['SECRET'])"
    spec = await local_harness.custom({"build.py": build, "app.py": app}, secrets_reference=reference)
    revision = await local_harness.through(spec, recorder, to="release")
    assert not revision.healthy
    assert "building with ***" in recorder.text
    assert canary not in recorder.text + revision.reason
    holding = [
        path
        for path in local_harness.folder.resolve().rglob("*")
        if path.is_file() and canary in path.read_text(errors="replace")
    ]
    assert [path.name for path in holding] == ["orders.json"]
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600


async def test_a_dead_app_is_said_with_its_last_words(local_harness, recorder):
    spec = await local_harness.custom({"app.py": "print('no database', flush=True); raise SystemExit(4)"})
    revision = await local_harness.through(spec, recorder, to="release")
    assert (revision.healthy, "ended with code 4" in revision.reason, "no database" in revision.reason) == (
        False,
        True,
        True,
    )


async def test_defect_the_first_words_of_an_app_are_taken_for_its_last(local_harness, recorder):
    chatty = "for number in range(40_000): print('line', number)\nprint('no database', flush=True); raise SystemExit(4)"
    # A busy machine takes long to write all its lines.
    spec = await local_harness.custom({"app.py": chatty}, health_seconds=60)
    await local_harness.through(spec, recorder, to="release")
    assert recorder.text.endswith("line 39999\nno database\n")


async def test_an_app_that_never_listens_is_not_healthy(local_harness, recorder):
    spec = await local_harness.custom({"app.py": "import time; time.sleep(600)"}, health_seconds=1)
    revision = await local_harness.through(spec, recorder, to="release")
    assert not revision.healthy
    assert "it has to listen on the port in PORT" in revision.reason
    assert gone(local_harness.processes(spec.deployment_id))


async def test_declared_packages_are_there_for_the_build_and_the_app(local_harness, recorder):
    see = "import sys; print('packages of', sys.prefix, flush=True)"
    files = {"requirements.txt": "", "build.py": see, "app.py": f"{see}; raise SystemExit(1)"}
    spec = await local_harness.custom(files)
    revision = await local_harness.through(spec, recorder, to="release")
    assert recorder.text.count("image/.venv") == 2
    assert not revision.healthy


async def test_a_node_app_is_installed_built_and_served(local_harness, recorder):
    package = {"name": "shop", "version": "1.0.0", "scripts": {"build": "node build.js", "start": "node server.js"}}
    server = """
const { readFileSync } = require("fs");
require("http").createServer((_, answer) => answer.end("served by " + readFileSync("built")))
  .listen(process.env.PORT, "127.0.0.1");
"""
    files = {
        "package.json": json.dumps(package),
        "build.js": "require('fs').writeFileSync('built', 'node')",
        "server.js": server,
    }
    spec = await local_harness.custom(files, start_command=())
    await local_harness.through(spec, recorder)
    assert await local_harness.who_serves() == "node"


async def test_a_dockerfile_is_said_to_be_left_aside(local_harness, recorder):
    spec = await local_harness.custom({"Dockerfile": "FROM scratch", "app.py": ""})
    await local_harness.through(spec, recorder, to="sync")
    assert "Its Dockerfile is not used" in recorder.text


async def test_a_site_of_files_needs_no_command(local_harness):
    spec = await local_harness.custom({"index.html": "served by files"}, start_command=())
    await local_harness.through(spec)
    assert await local_harness.who_serves() == "files"


async def test_defect_what_an_abandoned_deployment_left_goes_with_the_next_one(local_harness):
    first, left, last = [await local_harness.spec() for _ in range(3)]
    await local_harness.through(first)
    await local_harness.through(left, to="release")
    await local_harness.through(last)
    [app] = await local_harness.apps()
    assert app["revisions"] == [last.deployment_id]
    assert gone(local_harness.processes(left.deployment_id))


async def test_no_request_is_lost_when_traffic_changes_over_a_kept_connection(local_harness):
    first, second = await local_harness.spec(), await local_harness.spec()
    url = (await local_harness.through(first)).url
    await local_harness.through(second, to="release")
    answers: list[str] = []
    enough = asyncio.Event()

    async def visit(stop: asyncio.Event) -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            while not stop.is_set():
                answer = await http.get(url)
                answers.append(answer.text if answer.status_code == 200 else f"status {answer.status_code}")
                if len(answers) > 20:
                    enough.set()

    stop = asyncio.Event()
    visitors = [asyncio.create_task(visit(stop)) for _ in range(4)]
    await enough.wait()
    await local_harness.through(second)
    after = len(answers) + 8  # what was on its way
    await eventually(lambda: asyncio.sleep(0, len(answers) > after + 20))
    stop.set()
    await asyncio.gather(*visitors)
    assert {answer for answer in answers if answer.startswith("served by ")} == set(answers)
    assert set(answers[after:]) == {f"served by {second.deployment_id}"}


async def test_bodies_and_queries_pass_as_they_are(local_harness):
    url = (await local_harness.through(await local_harness.spec())).url
    body = os.urandom(3_000_000)
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.post(f"{url}/a%20b?x=%2F", content=body)).content == body


class TestWebSockets:
    SERVER = """
import base64, hashlib, http.server, os, struct
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.headers.get("Upgrade") != "websocket" or self.path == "/no":
            body = b"served by sockets"
            self.send_response(403 if self.path == "/no" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        if "Sec-WebSocket-Protocol" in self.headers:
            self.send_header("Sec-WebSocket-Protocol", self.headers["Sec-WebSocket-Protocol"].split(",")[-1].strip())
        self.end_headers()
        self.say(1, " ".join((self.path, self.headers["Cookie"], self.headers["Host"])).encode())
        while True:
            kind, text = self.hear()
            if kind == 8:
                print("closed with", struct.unpack(">H", text[:2])[0], flush=True)
                self.say(8, text)
                break
            self.say(*((8, struct.pack(">H", 4001) + b"enough") if text == b"end" else (kind, text)))
        self.close_connection = True
    def say(self, kind, text):
        size = struct.pack(">B", len(text)) if len(text) < 126 else struct.pack(">BH", 126, len(text))
        self.wfile.write(bytes([128 | kind]) + size + text)
    def hear(self):
        kind, size = self.rfile.read(2)
        size &= 127
        size = struct.unpack(">H", self.rfile.read(2))[0] if size == 126 else size
        mask = self.rfile.read(4)
        return kind & 15, bytes(one ^ mask[at % 4] for at, one in enumerate(self.rfile.read(size)))
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

    @pytest.fixture
    async def url(self, local_harness, recorder):
        spec = await local_harness.custom({"app.py": self.SERVER}, custom_domain="chat.example.com")
        url = (await local_harness.through(spec)).url
        await local_harness.platform.configure_domain(spec, recorder.step)
        return url.replace("http", "ws")

    async def test_both_sides_are_heard_until_one_closes(self, url):
        headers = {"Cookie": "me=1"}
        async with connect(
            f"{url}/a%20b?x=1", additional_headers=headers, subprotocols=[Subprotocol("old"), Subprotocol("new")]
        ) as socket:
            assert socket.subprotocol == "new"
            assert await socket.recv() == f"/a%20b?x=1 me=1 {url.removeprefix('ws://')}"
            for message in ("héllo", b"\x00\xff", "x" * 5_000):
                await socket.send(message)
                assert await socket.recv() == message
            await socket.send("end")
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert (present(closed.value.rcvd).code, present(closed.value.rcvd).reason) == (4001, "enough")

    async def test_the_app_hears_that_the_client_has_gone(self, url, local_harness):
        async with connect(url, additional_headers={"Cookie": "me=1"}) as socket:
            await socket.recv()
            await socket.close(4002)
        headers = {"Authorization": f"Bearer {local_harness.process.token}"}
        log = f"{local_harness.process.endpoint}/v1/apps/org/shop/development/log"

        async def heard():
            return "closed with 4002" in (await local_harness.get(log, headers=headers)).text

        await eventually(heard)

    async def test_a_refusal_is_the_apps_own(self, url):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{url}/no")
        assert (refused.value.response.status_code, refused.value.response.body) == (403, b"served by sockets")

    async def test_a_bound_domain_takes_them_too_and_no_other_does(self, url, local_harness):
        port = local_harness.process.endpoint.rpartition(":")[2]
        there: dict[str, Any] = {"host": "127.0.0.1", "port": int(port), "additional_headers": {"Cookie": "me=1"}}
        async with connect(f"ws://chat.example.com:{port}/", **there) as socket:
            assert await socket.recv() == f"/ me=1 chat.example.com:{port}"
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://other.example.com:{port}/", **there)
        assert refused.value.response.status_code == 503


async def test_a_domain_is_bound_to_one_app(local_harness, recorder):
    first = await local_harness.spec(custom_domain="shop.example.com")
    await local_harness.through(first)
    bound = await local_harness.platform.configure_domain(first, recorder.step)
    assert (bound.done, bound.url.startswith("http://shop.example.com:")) == (True, True)
    port = bound.url.rpartition(":")[2]
    assert local_harness.process.web.endswith(f":{port}")
    for place in (local_harness.process.endpoint, local_harness.process.web):
        for host in ("shop.example.com:8500", "Shop.Example.com"):  # a browser names no port where it is the usual one
            answer = await local_harness.get(place, headers={"Host": host})
            assert answer.text == f"served by {first.deployment_id}"
    unbound = await local_harness.get(local_harness.process.web, headers={"Host": "other.example.com"})
    assert (unbound.status_code, "No app has this domain" in unbound.text) == (404, True)
    platform = await local_harness.get(
        f"{local_harness.process.web}/v1/apps", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    assert platform.status_code == 404
    other = await local_harness.spec(project="other")
    await local_harness.through(other)
    other = other.model_copy(update={"custom_domain": "shop.example.com"})
    with pytest.raises(TerminalError, match="Another app has the domain"):
        await local_harness.platform.configure_domain(other, recorder.step)


async def test_replaced_revisions_and_their_files_are_gone(local_harness):
    first, second = await local_harness.spec(), await local_harness.spec()
    await local_harness.through(first)
    running = local_harness.processes(first.deployment_id)
    assert running
    await local_harness.through(second)
    assert gone(running)
    folders = {path.name for path in (local_harness.folder.resolve() / "org" / "shop").iterdir()}
    assert folders == {second.deployment_id}
    assert not (local_harness.folder.resolve() / "org" / "shop" / second.deployment_id / "source").exists()


async def test_what_was_removed_does_not_come_back(local_harness, recorder):
    spec = await local_harness.spec()
    await local_harness.through(spec, to="build")
    await local_harness.platform.cleanup(spec, recorder.step)
    with pytest.raises(TerminalError) as refusal:
        await local_harness.platform.provision(spec, recorder.step)
    assert refusal.value.code == "deployment-over"


async def test_an_app_that_crashes_is_started_again_at_the_same_address(local_harness):
    spec = await local_harness.spec()
    url = (await local_harness.through(spec)).url
    (app,) = local_harness.processes(spec.deployment_id)
    app.kill()
    assert gone([app])

    async def back():
        return await local_harness.who_serves() == spec.deployment_id

    await eventually(back)
    (state,) = await local_harness.apps()
    assert (state["url"], state["restarts"]) == (url, 1)


async def test_after_a_kill_nothing_runs_and_after_a_start_everything_serves_again(local_harness):
    spec = await local_harness.spec()
    url = (await local_harness.through(spec)).url
    half = await local_harness.spec(project="half")
    revision = await local_harness.through(half, to="release")
    assert revision.healthy
    running = local_harness.processes(spec.deployment_id) + local_harness.processes(half.deployment_id)
    local_harness.process.kill()
    assert gone(running)
    local_harness.process.start()

    async def back():
        return await local_harness.who_serves() == spec.deployment_id

    await eventually(back)
    assert (await local_harness.get(url)).text == f"served by {spec.deployment_id}"
    assert (await local_harness.through(half)).url


@pytest.mark.parametrize("step", ["sync", "build", "release", "promote"])
async def test_a_kill_after_each_step_is_gone_on_from(local_harness, step):
    first, second = await local_harness.spec(), await local_harness.spec()
    await local_harness.through(first)
    await local_harness.through(second, to=step)
    local_harness.process.kill()
    local_harness.process.start()
    await eventually(lambda: promoted(local_harness, second))
    await local_harness.through(second)
    assert await local_harness.who_serves() == second.deployment_id
    assert len(local_harness.processes(second.deployment_id)) == 1
    assert not local_harness.processes(first.deployment_id)


async def promoted(harness, spec) -> bool:
    """Take it through its steps; an app that is just being started again is waited for."""
    try:
        await harness.through(spec, to="promote")
    except TerminalError as error:
        if error.code != "revision-unhealthy":
            raise
        return False
    return True


async def test_a_kill_during_a_build_builds_afresh_and_only_once_at_a_time(local_harness, recorder):
    script = "import pathlib, time\nassert not pathlib.Path('half').exists()\nopen('half', 'w')\n"
    script += "print('building', flush=True)\ntime.sleep(1)\nprint('built')"
    spec = await local_harness.custom({"build.py": script, "app.py": ""})
    context = await local_harness.through(spec, to="sync")
    work = asyncio.create_task(local_harness.platform.build(spec, context, recorder.step))
    await recorder.logged("building")
    builds = local_harness.processes(f"build.py {spec.deployment_id}")
    assert len(builds) == 1
    local_harness.process.kill()
    with pytest.raises(TransientError, match="did not answer"):
        await work
    assert gone(builds)
    local_harness.process.start()
    done = await local_harness.platform.build(spec, context, recorder.step)
    assert done.done
    assert recorder.text.count("built") == 1


async def test_a_stop_leaves_nothing_even_of_apps_that_hide(local_harness):
    hiding = """
import http.server, os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", *sys.argv], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
    spec = await local_harness.custom({"app.py": hiding})
    await local_harness.through(spec)
    running = local_harness.processes(spec.deployment_id)
    assert len(running) == 3
    began = time.monotonic()
    assert local_harness.process.stop(signal.SIGTERM) == 0
    assert time.monotonic() - began < 9
    assert gone(running, 0.5)


async def test_a_cancel_ends_a_start_within_a_second_and_the_old_revision_serves_on(local_harness, recorder):
    first = await local_harness.spec()
    await local_harness.through(first)
    second = await local_harness.custom({"app.py": "import time; time.sleep(600)"})
    built = await local_harness.through(second, to="build")
    work = asyncio.create_task(local_harness.platform.release(second, built.image, recorder.step))

    async def started():
        return local_harness.processes(second.deployment_id)

    running = await eventually(started)
    recorder.cancel.set()
    with pytest.raises(DeploymentCancelled):
        await asyncio.wait_for(work, 5)
    assert gone(running)
    assert await local_harness.who_serves() == first.deployment_id


async def test_the_example_is_built_and_served(local_harness):
    example = Path(__file__).parents[6] / "examples" / "hello"
    files = {str(path.relative_to(example)): path.read_text() for path in example.rglob("*") if path.is_file()}
    reference = await secret_store().put({"GREETING": "Good morning"})
    for version in ("1", "2"):
        spec = await local_harness.custom(files | {"VERSION": version}, secrets_reference=reference)
        page = (await local_harness.get((await local_harness.through(spec)).url)).text
        assert "<h1>Good morning</h1>" in page
        assert f"Version {version}" in page


SLOW = """
import http.server, os, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(14)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"done")
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


async def test_a_request_that_takes_long_is_answered_by_the_revision_that_took_it(local_harness):
    first = await local_harness.custom({"app.py": SLOW})
    promoted = await local_harness.through(first)
    request = asyncio.ensure_future(local_harness.get(f"{promoted.url}/slow", timeout=60))
    await asyncio.sleep(0.5)
    await local_harness.through(await local_harness.spec())
    answer = await request
    assert (answer.status_code, answer.text) == (200, "done")
    for _ in range(100):
        if not local_harness.processes(first.deployment_id):
            break
        await asyncio.sleep(0.2)
    assert not local_harness.processes(first.deployment_id)


ENDS = SLOW.replace("import http.server", "import threading, http.server").replace(
    "http.server.ThreadingHTTPServer",
    "threading.Timer(1.5, lambda: os._exit(7)).start()\nhttp.server.ThreadingHTTPServer",
)


async def test_an_app_that_keeps_ending_is_not_healthy_and_says_how_often_it_was_restarted(local_harness):
    spec = await local_harness.custom({"app.py": ENDS})
    await local_harness.through(spec)

    async def restarted():
        found = await local_harness.platform.health(spec)
        return found if found.restarts >= 2 else None

    found = await eventually(restarted, seconds=30)
    assert (found.healthy, found.reason) == (False, "It ended with code 7.")


async def test_the_health_path_has_to_answer_well_before_traffic_moves(local_harness):
    healthy = "200 if self.path == '/ready' else 404"
    files = {"app.py": APP.format(version="v", before="", body="b'ready'", status=healthy)}
    good = await local_harness.custom(files, health_path="/ready", health_seconds=20)
    await local_harness.through(good)
    assert (await local_harness.platform.health(good)).healthy
    bad = await local_harness.custom(files, health_path="/elsewhere", health_seconds=1)
    revision = await local_harness.through(bad, to="release")
    assert not revision.healthy
    assert "after 1 s /elsewhere answered 404" in revision.reason
    assert (await local_harness.platform.health(good)).healthy


async def test_an_app_s_log_is_followed_over_the_putting_aside_of_its_file_and_shows_no_part_of_a_value(local_harness):
    secret = "".join(chr(65 + number * 7 % 26) for number in range(150))
    before = "import base64\nprint(base64.encodebytes(os.environ['SECRET'].encode()).decode(), flush=True)"
    app = APP.format(version="one", before=before, body="(print('asked', self.path, flush=True), b'ok')[1]", status=200)
    reference = await secret_store().put({"SECRET": secret})
    spec = await local_harness.custom({"app.py": app}, secrets_reference=reference)
    url = (await local_harness.through(spec)).url
    platform = local_harness.platform
    whole = await platform.log_from(spec, None)
    encoded = base64.b64encode(secret.encode()).decode()
    for place in range(0, int(whole.cursor), 9):
        part = await platform.log_from(spec, str(place))
        assert not any(encoded[at : at + 8] in part.text for at in range(len(encoded) - 8)), place
    [log] = local_harness.folder.resolve().rglob(f"{spec.deployment_id}/app.log")
    log.rename(log.with_name(f"app.log.{log.stat().st_size}"))
    await local_harness.get(f"{url}/after")
    again = whole
    while "asked /after" not in again.text:
        again = await platform.log_from(spec, again.cursor)
    assert int(again.cursor) > int(whole.cursor)
