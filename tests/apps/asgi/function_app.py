"""A FastAPI-like application behind AsgiFunctionApp: here Starlette, with a lifespan."""

import os
from contextlib import asynccontextmanager

import azure.functions as func
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


@asynccontextmanager
async def lifespan(app):
    app.state.started = True
    yield
    if "ASGI_STOPPED" in os.environ:
        with open(os.environ["ASGI_STOPPED"], "w") as file:
            file.write("stopped")


async def show(request: Request) -> JSONResponse:
    return JSONResponse(
        {
            "path": request.url.path,
            "name": request.path_params.get("name"),
            "query": dict(request.query_params),
            "body": (await request.body()).decode(),
            "started": request.app.state.started,
            "function": request.scope["azure_functions.function_name"],
        },
        headers={"X-Asgi": "yes"},
    )


asgi = Starlette(routes=[Route("/", show), Route("/hello/{name}", show, methods=["GET", "POST"])], lifespan=lifespan)
app = func.AsgiFunctionApp(app=asgi, http_auth_level=func.AuthLevel.ANONYMOUS)
