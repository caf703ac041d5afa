"""A small web app with a page that its build step made. Only Python's standard library is needed."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = Path(__file__).with_name("public") / "index.html"


class Hello(BaseHTTPRequestHandler):
    """Serves the built page at /, and its health at /health."""

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer("application/json", json.dumps({"status": "ok"}))
        elif self.path == "/":
            self._answer("text/html; charset=utf-8", PAGE.read_text(encoding="utf-8"))
        else:
            self.send_error(404)

    def _answer(self, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    if not PAGE.exists():
        raise SystemExit(f"{PAGE} is missing. Run `python build.py` first.")
    port = int(os.environ.get("PORT", "8080"))
    print(f"hello listens on port {port}", flush=True)
    # Every address of a container; on a laptop the platform's own port is the one to open.
    ThreadingHTTPServer(("0.0.0.0", port), Hello).serve_forever()  # noqa: S104 - a container is reached from outside


if __name__ == "__main__":
    main()
