"""Serves the console: one static page, and its assets. What it shows it asks from /ops with the operator's key."""

from __future__ import annotations

from pathlib import Path

import azure.functions as func

from shared.platform.access.auth import PUBLIC
from shared.platform.http import Routes
from shared.platform.http.pages import page

routes = Routes(tag="console")

_FOLDER = Path(__file__).parents[2] / "console"


@routes.get("/console", needs=PUBLIC, summary="The console", hidden=True)
async def console_page(request: func.HttpRequest) -> func.HttpResponse:
    return await page(_FOLDER, "index.html", request)


@routes.get("/console/{*path}", needs=PUBLIC, summary="What the console is made of", hidden=True)
async def console_page_asset(path: str, request: func.HttpRequest) -> func.HttpResponse:
    return await page(_FOLDER, path, request)
