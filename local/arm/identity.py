"""The managed identity of an app in Azure: where the app asks for tokens, as App Service offers it."""

from __future__ import annotations

import hmac
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.arm.cloud import APP_CLIENT_ID, CLIENT_ID, Cloud

API = "2019-08-01"
_SECONDS = 86_400


def token(cloud: Cloud) -> Any:
    """GET of a token for the service that `resource` names; the header proves that the caller is the app."""

    async def endpoint(request: Request) -> Response:
        query = request.query_params
        if not hmac.compare_digest(request.headers.get("x-identity-header", ""), cloud.signature):
            return _refused(401, "the header X-IDENTITY-HEADER is missing or wrong")
        if query.get("api-version") != API or not query.get("resource"):
            return _refused(400, f"api-version {API} and a resource are needed")
        if query.get("client_id") not in {CLIENT_ID, APP_CLIENT_ID}:
            return _refused(400, "no managed identity with that client id is assigned to the app")
        return JSONResponse(
            {
                "access_token": cloud.token(query["resource"], query["client_id"]),
                "expires_on": str(int(time.time()) + _SECONDS),
                "resource": query["resource"],
                "token_type": "Bearer",
                "client_id": query["client_id"],
            }
        )

    return endpoint


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"statusCode": status, "message": message}, status)
