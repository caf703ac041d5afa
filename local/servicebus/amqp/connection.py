"""One client's connection: headers, SASL, open, and its sessions."""

import asyncio
import logging
import sqlite3
from asyncio import StreamReader, StreamWriter

from local.servicebus.amqp.codec import Array, Symbol, UByte, UInt, UShort
from local.servicebus.amqp.frames import (
    AMQP,
    AMQP_HEADER,
    MAX_FRAME,
    SASL,
    SASL_HEADER,
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Frame,
    Open,
    Performative,
    ProtocolError,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Transfer,
    error,
    pack,
    read,
)
from local.servicebus.amqp.management import Authorizer
from local.servicebus.amqp.session import AmqpSession
from local.servicebus.queues.dispatch import Dispatcher

logger = logging.getLogger(__name__)
_CHANNEL_MAX = 255
_SMALLEST_FRAME = 512


class Connection:
    """Serves one client until it closes or breaks the protocol."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, dispatcher: Dispatcher, key: str | None) -> None:
        self._reader = reader
        self._writer = writer
        self._dispatcher = dispatcher
        self._authorizer = Authorizer(key)
        self._sessions: dict[int, AmqpSession] = {}
        self._heartbeat: asyncio.Task[None] | None = None
        self.max_frame = MAX_FRAME

    @property
    def closing(self) -> bool:
        return self._writer.is_closing()

    def send(self, channel: int, performative: Performative, payload: bytes = b"") -> None:
        if not self.closing:
            self._writer.write(pack(channel, performative, payload))

    async def run(self) -> None:
        try:
            await self._handshake()
            while await self._on_frame(await read(self._reader)):
                await self._writer.drain()
        except ProtocolError as broken:
            logger.warning("A client broke the protocol: %s", broken)
            self.send(0, Close(error(broken.condition, broken.description)))
        except (TypeError, ValueError, IndexError, AttributeError):
            # A frame whose fields are of the wrong types: its performative was readable, its content is not.
            logger.exception("A client sent what cannot be understood.")
            self.send(0, Close(error("amqp:decode-error", "A frame cannot be understood.")))
        except sqlite3.Error:
            # A full disk, for instance. The client must not take the answer that it waits for as given.
            logger.exception("The data file failed; the client is cut off.")
            self.send(0, Close(error("amqp:internal-error", "The stand-in's data file failed; see its log.")))
        except (asyncio.IncompleteReadError, ConnectionError):
            logger.debug("A client went away.")
        finally:
            if self._heartbeat is not None:
                self._heartbeat.cancel()
            for session in self._sessions.values():
                session.close()
            self.close()

    def close(self) -> None:
        """Hang up; `run` then comes to its end."""
        self._writer.close()

    async def _handshake(self) -> None:
        header = await self._reader.readexactly(len(AMQP_HEADER))
        if header == SASL_HEADER:
            self._writer.write(SASL_HEADER)
            mechanisms = Array([Symbol("ANONYMOUS"), Symbol("MSSBCBS")])
            self._writer.write(pack(0, SaslMechanisms(mechanisms), kind=SASL))
            init = await read(self._reader)
            if init.kind != SASL or not isinstance(init.performative, SaslInit):
                raise ProtocolError("amqp:connection:framing-error", "A sasl-init was expected.")
            self._writer.write(pack(0, SaslOutcome(UByte(0)), kind=SASL))
            header = await self._reader.readexactly(len(AMQP_HEADER))
        self._writer.write(AMQP_HEADER)
        if header != AMQP_HEADER:
            raise ProtocolError("amqp:connection:framing-error", "This is AMQP 1.0 without TLS.")

    async def _on_frame(self, frame: Frame) -> bool:
        """Whether the connection goes on."""
        performative = frame.performative
        if performative is None:
            return True
        if frame.kind != AMQP:
            raise ProtocolError("amqp:connection:framing-error", "An AMQP frame was expected.")
        if isinstance(performative, Close):
            self.send(0, Close())
            return False
        if isinstance(performative, Open):
            self._on_open(performative)
        elif isinstance(performative, Begin):
            self._on_begin(frame.channel, performative)
        else:
            self._on_session_frame(frame.channel, performative, frame.payload)
        return True

    def _on_open(self, peer: Open) -> None:
        if peer.max_frame_size is not None:
            self.max_frame = max(min(peer.max_frame_size, MAX_FRAME), _SMALLEST_FRAME)
        self.send(0, Open("local-servicebus", peer.hostname, UInt(MAX_FRAME), UShort(_CHANNEL_MAX)))
        if peer.idle_time_out:
            self._heartbeat = asyncio.create_task(self._keep_alive(peer.idle_time_out / 2000))

    async def _keep_alive(self, seconds: float) -> None:
        while not self.closing:
            await asyncio.sleep(seconds)
            self._writer.write(pack(0, None))

    def _on_begin(self, channel: int, begin: Begin) -> None:
        if channel in self._sessions or channel > _CHANNEL_MAX:
            raise ProtocolError("amqp:not-allowed", f"Channel {channel} cannot begin a session.")
        self._sessions[channel] = AmqpSession(self, channel, begin, self._dispatcher, self._authorizer)

    def _on_session_frame(self, channel: int, performative: Performative, payload: bytes) -> None:
        session = self._sessions.get(channel)
        if session is None:
            raise ProtocolError("amqp:not-found", f"No session has begun on channel {channel}.")
        if isinstance(performative, Attach):
            session.on_attach(performative)
        elif isinstance(performative, Flow):
            session.on_flow(performative)
        elif isinstance(performative, Transfer):
            session.on_transfer(performative, payload)
        elif isinstance(performative, Disposition):
            session.on_disposition(performative)
        elif isinstance(performative, Detach):
            session.on_detach(performative)
        elif isinstance(performative, End):
            self._sessions.pop(channel).close()
            self.send(channel, End())
        else:
            raise ProtocolError("amqp:not-allowed", f"{type(performative).__name__} is not for an open connection.")
