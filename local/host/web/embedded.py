"""A uvicorn server inside a loop that is not its own: for the host, and for every stand-in that speaks HTTP."""

import asyncio
import contextlib
import fcntl
import socket
import struct
import termios
from collections.abc import Generator
from email.utils import formatdate
from pathlib import Path
from typing import Self

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADERS_SECONDS = 30.0
"""As Kestrel's RequestHeadersTimeout."""
READ_BYTES_PER_SECOND, READ_GRACE_SECONDS = 240, 5.0
"""As Kestrel's MinResponseDataRate."""
READ_AT_ONCE = 65_536
"""As Kestrel's buffer of an answer: a client has to take so much in the grace and the time that the rate gives it."""

_INT = struct.Struct("i")


class EmbeddedServer:
    """Serves an application on a listening socket; signals are the caller's business. Also a context manager."""

    def __init__(
        self,
        app: ASGIApp,
        listening: socket.socket,
        *,
        lifespan: bool = False,
        largest_message: int | None = None,
        certificate: Path | None = None,
    ) -> None:
        """`largest_message` in bytes lets WebSockets in, `certificate` (with its key) makes it TLS."""
        config = uvicorn.Config(
            _dated(app),
            http=_Protocol,
            lifespan="on" if lifespan else "off",
            ws="none" if largest_message is None else "websockets-sansio",
            ws_max_size=largest_message or 0,
            ssl_certfile=certificate,
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            date_header=False,  # it would stand beside one of the application's
            proxy_headers=False,
            timeout_keep_alive=120,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._socket = listening
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._socket.getsockname()[1]

    async def start(self) -> None:
        """Return when the server takes requests. Raises RuntimeError when the application's lifespan fails."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        opened = asyncio.create_task(self._server.opened.wait())
        await asyncio.wait({self._task, opened}, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        if not self._server.started:
            await self._task
            raise RuntimeError("The application did not start; the log says why.")

    async def stop(self) -> None:
        """Take no more requests and close what is open."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()


def _dated(app: ASGIApp) -> ASGIApp:
    """As Kestrel: answers have a date, the application's own where it gives one."""

    async def dated(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ())]
                if not any(name.lower() == b"date" for name, _ in headers):
                    headers.insert(0, (b"date", formatdate(usegmt=True).encode()))
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, receive, with_date if scope["type"] == "http" else send)

    return dated


class _Protocol(HttpToolsProtocol):
    """Closes a connection on which a request's headers take too long, or whose client does not read what it is sent.

    A client could hold any number of them.
    """

    _in_headers = False
    _timer: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEADERS_SECONDS, self._close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._stop_reading_timer()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look_again()

    def resume_writing(self) -> None:
        self._stop_reading_timer()
        super().resume_writing()

    def _look_again(self) -> None:
        unread = self._unread()
        wanted = min(unread, READ_AT_ONCE)
        seconds = READ_GRACE_SECONDS + wanted / READ_BYTES_PER_SECOND
        self._reading = self.loop.call_later(seconds, self._see_progress, unread - wanted)

    def _see_progress(self, most: int) -> None:
        if self._unread() > most:
            self.transport.abort()  # close would wait for it to read the rest
        else:
            self._look_again()

    def _unread(self) -> int:
        """What the client has not acknowledged: the kernel sends megabytes before the transport's own buffer moves."""
        sending = self.transport.get_extra_info("socket").fileno()
        try:
            queued = fcntl.ioctl(sending, termios.TIOCOUTQ, bytes(_INT.size))
        except OSError:  # this system does not say it
            return self.transport.get_write_buffer_size()
        return self.transport.get_write_buffer_size() + _INT.unpack(queued)[0]

    def _stop_reading_timer(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_headers and self._timer is None:
            self._timer = self.loop.call_later(HEADERS_SECONDS, self._close)

    def on_message_begin(self) -> None:
        self._in_headers = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._stop_timer()
        super().on_headers_complete()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        if self._in_headers:
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.opened = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:  # of a lifespan that failed, which is the caller's to deal with
            self.should_exit = True
        self.opened.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def listen(address: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's delay off for the connections that it accepts.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
        bound.listen(1024)
    except OSError:
        bound.close()
        raise
    return bound


def loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    """uvloop, where it is installed: it halves what the loop itself costs a request."""
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return uvloop.Loop
