"""An alert reaches a chat as well: from a held run to the post that Slack or Teams would get."""

from __future__ import annotations

import json
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import trustme

from tests.acceptance.diamonds.test_operations import held_run

SECRET = "s3cr3t-part-of-the-address"
TEAMS = "prod-1.uksouth.logic.azure.com"


class Chat(ThreadingHTTPServer):
    """A service that takes posts, over HTTP, or over TLS as the proxy in front of it; answers `refuse` of them 503."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None, refuse: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Chat)
        self.tls = tls
        self.refuse = refuse
        self.asked: list[str] = []
        self.taken: list[Any] = []


class _Chat(BaseHTTPRequestHandler):
    server: Chat  # pyright: ignore[reportIncompatibleVariableOverride] - which it always is here

    def do_CONNECT(self) -> None:
        assert self.server.tls is not None, "only a proxy is asked to connect"
        self.server.asked.append(f"CONNECT {self.path}")
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self.handle_one_request()

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        refused = len(self.server.taken) == 0 and self.server.refuse > 0
        if refused:
            self.server.refuse -= 1
        else:
            self.server.taken.append(body)
        self.send_response(503 if refused else 200)
        self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@contextmanager
def listening(chat: Chat) -> Generator[int]:
    """The port on which it takes posts."""
    thread = Thread(target=chat.serve_forever, daemon=True)
    thread.start()
    try:
        yield chat.server_address[1]
    finally:
        chat.shutdown()
        chat.server_close()
        thread.join()


def shown(app: Any) -> str:
    """All that the app says of itself while and after it sends an alert."""
    runs = app.host.request("GET", "/ops/runs?limit=100", headers={"X-Admin-Key": "acceptance"}).body
    return "\n".join([*app.host.output, str(runs)])


async def test_a_held_run_is_posted_to_slack_once_though_slack_was_away_at_first(running: Any) -> None:
    chat = Chat(refuse=1)
    with listening(chat) as port:
        url = f"http://127.0.0.1:{port}/services/{SECRET}"
        async with running("--diamonds", "4000", ALERT_WEBHOOK_URL=url) as app:
            run = held_run(app)["run"]
            app.until(lambda: bool(chat.taken))
            (post,) = chat.taken
            (mail,) = app.mails()
            assert list(post) == ["text"]
            assert post["text"].splitlines() == [mail["subject"], *mail["text"].splitlines()]
            assert run["run_id"] in post["text"]
            assert chat.asked == [f"/services/{SECRET}"] * 2
            assert SECRET not in shown(app)


async def test_a_held_run_is_posted_to_teams_as_a_card(running: Any, tmp_path: Path) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(TEAMS).configure_cert(tls)
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(trusted)
    chat = Chat(tls)
    with listening(chat) as port:
        changes = {
            "ALERT_WEBHOOK_URL": f"https://{TEAMS}:443/workflows/1/triggers/manual?sig={SECRET}",
            "HTTPS_PROXY": f"http://127.0.0.1:{port}",
            "SSL_CERT_FILE": str(trusted),
        }
        async with running("--diamonds", "4000", **changes) as app:
            run = held_run(app)["run"]
            app.until(lambda: bool(chat.taken))
            (post,) = chat.taken
            assert chat.asked == [f"CONNECT {TEAMS}:443", f"/workflows/1/triggers/manual?sig={SECRET}"]
            (attachment,) = post["attachments"]
            assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
            runs = [one["text"] for part in attachment["content"]["body"] for one in part["inlines"]]
            (mail,) = app.mails()
            assert runs[0] == mail["subject"]
            assert any(run["run_id"] in text for text in runs)
            assert SECRET not in shown(app)
