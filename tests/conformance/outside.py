"""What the recorded patterns called over HTTP, answering as it did when they were recorded."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Recorded(BaseHTTPRequestHandler):
    """Answers are written as they were, header for header."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        code, extra, content = "200 OK", "", "{}"
        if "/async/" in self.path:
            code, content = "202 Accepted", '{"poll":1}'
            extra = f"Location: http://{self.headers['Host']}{self.path}\r\nRetry-After: 1\r\n"
        elif "/status/" in self.path:
            code, content = "500 Error", "status 500"
        elif "/echo" in self.path:
            shown = {name.title(): value for name, value in self.headers.items()}
            content = json.dumps({"m": self.command, "p": self.path, "h": shown, "b": body})
            extra = "Set-Cookie: a=b\r\n"
        date = "Sat, 21 Nov 2026 07:24:37 GMT"
        head = f"HTTP/1.1 {code}\r\nContent-Type: application/json\r\nDate: {date}\r\nServer: Kestrel\r\n{extra}"
        data = content.encode()
        chunk = f"Transfer-Encoding: chunked\r\n\r\n{len(data):x}\r\n".encode() + data + b"\r\n0\r\n\r\n"
        self.wfile.write(head.encode() + chunk)
        self.close_connection = True

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Tests are quiet."""


@contextmanager
def outside() -> Generator[str]:
    """The address of a server of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Recorded) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
