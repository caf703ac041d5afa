"""The HTTP side of the sink, for tests and people; the SMTP server lives as long as it does."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiosmtpd.smtp import SMTP
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.processes import LOOPBACK
from local.smtp.pages import inbox_page, mail_page
from local.smtp.sink import MAX_MAIL, LostAnswers, Rejection, Sink

_MOST_SHOWN = 1000


def create_app(sink: Sink, smtp_port: int) -> Starlette:
    """Make the app: / is the inbox for people, /messages shows and clears the mails.

    /rejections and /lost-answers set what goes wrong.
    """

    @asynccontextmanager
    async def receiving(_app: Starlette) -> AsyncGenerator[None]:
        def session() -> SMTP:
            # The name of this machine is looked up in DNS unless one is given.
            return SMTP(sink, hostname="localhost", data_size_limit=MAX_MAIL, enable_SMTPUTF8=True)

        async with await asyncio.get_running_loop().create_server(session, LOOPBACK, smtp_port):
            yield

    pages = _Pages(sink)
    return Starlette(
        routes=[
            Route("/", pages.inbox, methods=["GET"]),
            Route("/mails/{id}", pages.mail, methods=["GET"]),
            Route("/health", pages.health, methods=["GET"]),
            Route("/messages", pages.messages, methods=["GET", "DELETE"]),
            Route("/messages/{id}", pages.message, methods=["GET"]),
            Route("/rejections", pages.rejections, methods=["GET", "POST", "DELETE"]),
            Route("/lost-answers", pages.lost_answers, methods=["GET", "PUT"]),
        ],
        lifespan=receiving,
    )


class _Pages:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def inbox(self, _request: Request) -> Response:
        return inbox_page(await asyncio.to_thread(self._sink.mails, _MOST_SHOWN))

    async def mail(self, request: Request) -> Response:
        mails = await asyncio.to_thread(self._sink.mails, _MOST_SHOWN)
        kept = next((mail for mail in mails if mail.id == request.path_params["id"]), None)
        return mail_page(kept) if kept else JSONResponse({"error": "There is no such mail."}, 404)

    async def messages(self, request: Request) -> Response:
        if request.method == "DELETE":
            await asyncio.to_thread(self._sink.clear)
            return Response(status_code=204)
        mails = await asyncio.to_thread(self._sink.mails, _MOST_SHOWN)
        return JSONResponse([mail.model_dump(mode="json") for mail in mails])

    async def message(self, request: Request) -> Response:
        path = self._sink.folder / f"{request.path_params['id']}.eml"
        if path not in self._sink.folder.glob("*.eml"):
            return JSONResponse({"error": "There is no such mail."}, 404)
        return Response(path.read_bytes(), media_type="message/rfc822")

    async def rejections(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                self._sink.reject(Rejection.model_validate_json(await request.body()))
            except ValidationError as error:
                return _invalid(error)
        if request.method == "DELETE":
            self._sink.rejections.clear()
        return JSONResponse([rejection.model_dump() for rejection in self._sink.rejections.values()])

    async def lost_answers(self, request: Request) -> Response:
        if request.method == "PUT":
            try:
                self._sink.lost_answers = LostAnswers.model_validate_json(await request.body())
            except ValidationError as error:
                return _invalid(error)
        return JSONResponse(self._sink.lost_answers.model_dump())


def _invalid(error: ValidationError) -> Response:
    return JSONResponse({"error": json.loads(error.json(include_url=False, include_input=False))}, 400)
