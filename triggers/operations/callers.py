"""Who is calling: lets a client, such as the console, find out what its key may do, and where operators sign in."""

from __future__ import annotations

import azure.functions as func
from pydantic import Field

from shared.platform.access.api_keys import ApiKey
from shared.platform.access.auth import PUBLIC, Caller
from shared.platform.access.sign_in import SIGN_IN, signed_in
from shared.platform.http import Routes
from shared.platform.models import LazyModel
from shared.platform.settings import settings

routes = Routes(tag="operations")


class KnownCaller(LazyModel):
    """Whom the key, or the signature, of this request belongs to."""

    name: str
    permissions: list[str] = Field(description='What it may do, as `diamonds:read`; `["*"]`: everything')
    organization: str | None = Field(description="The only one that it may act for; null: its grant names none")


@routes.get("/ops/caller", needs=ApiKey(None), summary="What the caller may do")
async def ops_caller(caller: Caller) -> KnownCaller:
    return KnownCaller(name=caller.name, permissions=sorted(caller.permissions), organization=caller.organization)


class SignIn(LazyModel):
    """How operators sign in besides the admin key."""

    url: str | None = Field(description="where, on this app; null: nowhere")
    signed_in: bool = Field(description="whether the caller is signed in, if as an operator or not")


@routes.get("/ops/sign-in", needs=PUBLIC, summary="Where operators sign in")
async def ops_sign_in(request: func.HttpRequest) -> SignIn:
    """For the console, which offers it."""
    offered = settings().operator_sign_in == "entra"
    return SignIn(url=SIGN_IN if offered else None, signed_in=signed_in(request))
