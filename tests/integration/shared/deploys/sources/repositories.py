"""Git over HTTPS on this machine: git's own CGI program, or whatever a hostile host may answer."""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "git.example.com"
IDENTITY = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    """What the program git prints."""
    done = subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Server:
    """A running server.

    Attributes:
        root: the folder of the repositories.
        url: the address of the repository `remote`.
        token: what a private server asks for, for the user `somebody`; None: it is public.
        protocol: whether clients may choose the protocol's version; if not, all speak the oldest.
        hostile: gives an answer of its own for a method, a path and a body; None: git answers.
        seen: the requests, with their headers.
    """

    root: Path
    url: str
    token: str | None = None
    protocol: bool = True
    hostile: Callable[[str, str, bytes], Answer | None] = lambda *_: None
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list[tuple[str, str, dict[str, str]]])


class _Handler(BaseHTTPRequestHandler):
    server_: Server
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        server, (path, _, query) = self.server_, self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server.seen.append((self.command, self.path, dict(self.headers.items())))
        if (own := server.hostile(self.command, self.path, body)) is not None:
            self._send(*own)
            return
        wanted = "Basic " + base64.b64encode(f"somebody:{server.token}".encode()).decode()
        if server.token and self.headers.get("Authorization") != wanted:
            said = f"{self.headers.get('Authorization')} may not".encode()
            self._send(401, {"WWW-Authenticate": "Basic", "Content-Type": "text/plain"}, said)
            return
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", "") if server.protocol else "",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._send(int(headers.pop("Status", "200").split()[0]), headers, content)

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer  # noqa: N815 - names that the base class calls

    def log_message(self, *_: object, **__: object) -> None:
        """Says nothing."""


@contextmanager
def serving(root: Path, certificates: Path, host: str = HOST) -> Generator[Server]:
    """A server of the repositories below `root`, whose certificate is `certificates/cert.pem`."""
    certificate, key = certificates / "cert.pem", certificates / "key.pem"
    made = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={host}")
    names = ("-addext", f"subjectAltName=DNS:{host}", "-keyout", key, "-out", certificate)
    subprocess.run(["openssl", *made, *names], check=True, capture_output=True)
    handler = type("Handler", (_Handler,), {})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    server = handler.server_ = Server(root, f"https://{host}:{listening.server_port}/remote")
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield server
    listening.shutdown()
    listening.server_close()
