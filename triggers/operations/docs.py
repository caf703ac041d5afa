"""The API's own documentation: its OpenAPI document, and a page that shows it and tries it out."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import azure.functions as func

from shared.platform.access.auth import PUBLIC
from shared.platform.http import Routes
from shared.platform.http.openapi import document
from shared.platform.http.pages import page
from shared.platform.workload import workloads

routes = Routes(tag="documentation")
VERSION = "1.0.0"
ABOUT = "One Azure Function App in place of five always-on fleets. Errors are problem+json (RFC 9457)."

_HERE = Path(__file__).parent


@routes.get("/openapi.json", needs=PUBLIC, summary="The OpenAPI document", hidden=True)
async def openapi_json() -> func.HttpResponse:
    return func.HttpResponse(_document(), headers={"Cache-Control": "no-cache"}, mimetype="application/json")


@routes.get("/docs", needs=PUBLIC, summary="The documentation page", hidden=True)
async def docs_page(request: func.HttpRequest) -> func.HttpResponse:
    return await page(_HERE, "docs.html", request)


@cache
def _document() -> str:
    groups = [group for workload in workloads() for group in workload.routes]
    operations = [operation for group in groups for operation in group.operations]
    return json.dumps(document(operations, title="Manifold", version=VERSION, description=ABOUT))
