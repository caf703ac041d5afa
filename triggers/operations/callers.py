"""Who is calling: lets a client, such as the console, find out what its key may do."""

from pydantic import BaseModel, Field

from shared.platform.api_keys import ApiKey
from shared.platform.auth import Caller
from shared.platform.http import Routes

routes = Routes(tag="operations")


class KnownCaller(BaseModel):
    """Whom the key, or the signature, of this request belongs to."""

    name: str
    permissions: list[str] = Field(description='What it may do, as `diamonds:read`; `["*"]`: everything')
    organization: str | None = Field(description="The only one that it may act for; null: its grant names none")


@routes.get("/ops/caller", needs=ApiKey(None), summary="What the caller may do")
async def ops_caller(caller: Caller) -> KnownCaller:
    return KnownCaller(name=caller.name, permissions=sorted(caller.permissions), organization=caller.organization)
