"""A Key Vault that keeps secrets."""

from __future__ import annotations

import hmac
import re
import secrets
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.arm.cloud import ArmError, Cloud, Json

API = "7.4"
AUDIENCE = "https://vault.azure.net"
_NAME = re.compile(r"^[0-9a-zA-Z-]{1,127}$")
_LONGEST = 25_600
"""Bytes of a secret's value."""
_ACTIONS = {"GET": "getSecret/action", "PUT": "setSecret/action", "DELETE": "delete"}


def secret(cloud: Cloud) -> Any:
    """GET, PUT and DELETE of a secret."""

    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await _answer(cloud, request))
        except ArmError as problem:
            return JSONResponse({"error": {"code": problem.code, "message": problem.message}}, problem.status)

    return endpoint


async def _answer(cloud: Cloud, request: Request) -> Json:
    if not hmac.compare_digest(request.headers.get("authorization", ""), f"Bearer {cloud.token(AUDIENCE)}"):
        raise ArmError(401, "Unauthorized", "A token for this vault is needed.")
    if request.query_params.get("api-version") != API:
        raise ArmError(400, "BadParameter", f"api-version {API} is needed.")
    name = request.path_params["name"]
    if not _NAME.fullmatch(name):
        raise ArmError(400, "BadParameter", "A secret's name has 1 to 127 letters, digits and hyphens.")
    cloud.actions.add(f"Microsoft.KeyVault/vaults/secrets/{_ACTIONS[request.method]}")
    if request.method == "PUT":
        cloud.secrets[name] = _value(await request.json())
    found = cloud.secrets.get(name)
    if found is None:
        raise ArmError(404, "SecretNotFound", f"A secret with the name {name} was not found in this vault.")
    address = f"{request.url.scheme}://{request.url.netloc}{request.url.path}/{secrets.token_hex(16)}"
    if request.method == "DELETE":
        del cloud.secrets[name]
        return {"id": address, "recoveryId": address}
    return {"id": address, "value": found}


def _value(body: object) -> str:
    """The value, if the body has one that a vault takes and nothing that it does not know."""
    known = cast("Json", body) if isinstance(body, dict) else {}
    value = known.get("value")
    if not isinstance(value, str) or len(value.encode()) > _LONGEST or set(known) - {"value", "contentType"}:
        raise ArmError(400, "BadParameter", f"A value of at most {_LONGEST} bytes is needed, and nothing unknown.")
    return value
