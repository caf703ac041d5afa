"""The API's own documentation: its OpenAPI document, and a page that shows it and tries it out."""

import json
from functools import cache
from pathlib import Path

import azure.functions as func

from shared.platform.auth import PUBLIC
from shared.platform.http import Routes
from shared.platform.http.openapi import document
from shared.platform.http.pages import page

_HERE = Path(__file__).parent


def documentation(*groups: Routes, version: str) -> Routes:
    """The routes that document those of `groups`."""
    routes = Routes(tag="documentation")

    @cache
    def text() -> str:
        operations = [operation for group in groups for operation in group.operations]
        about = "One Azure Function App in place of five always-on fleets. Errors are problem+json (RFC 9457)."
        return json.dumps(document(operations, title="Manifold", version=version, description=about))

    @routes.get("/openapi.json", needs=PUBLIC, summary="The OpenAPI document", hidden=True)
    async def openapi_json() -> func.HttpResponse:
        return func.HttpResponse(text(), headers={"Cache-Control": "no-cache"}, mimetype="application/json")

    @routes.get("/docs", needs=PUBLIC, summary="The documentation page", hidden=True)
    async def docs_page(request: func.HttpRequest) -> func.HttpResponse:
        return page(_HERE, "docs.html", request)

    del openapi_json, docs_page
    return routes
