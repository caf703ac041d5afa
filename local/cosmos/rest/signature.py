"""Master-key signatures ("Access control in the Azure Cosmos DB SQL API" in the REST reference)."""

import base64
import hashlib
import hmac
from urllib.parse import parse_qs, unquote

from local.cosmos.errors import CosmosError

# Public: the fixed key of Microsoft's emulator, from its documentation.
EMULATOR_KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
KEY_VARIABLE = "MANIFOLD_COSMOS_KEY"
"""Names the account's key where another than the emulator's is wanted."""
_FEEDS = {"dbs", "colls", "docs", "pkranges", "offers"}


def check(authorization: str | None, method: str, path: str, date: str, key: str) -> None:
    """Hold a request's Authorization header against the account's key.

    Raises:
        CosmosError: 401, if the header is missing, of another kind or signed with another key.
    """
    fields = parse_qs(unquote(authorization or ""), keep_blank_values=True)
    given = unquote(authorization or "").partition("sig=")[2]
    if fields.get("type") != ["master"] or fields.get("ver") != ["1.0"] or not given:
        raise CosmosError(401, "Required Header authorization is missing or is no master key token.")
    kind, link = _resource(path)
    signed = f"{method.lower()}\n{kind}\n{link}\n{date.lower()}\n\n"
    digest = hmac.new(base64.b64decode(key), signed.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(base64.b64encode(digest), given.encode()):
        raise CosmosError(
            401,
            "The input authorization token can't serve the request. The wrong key is being used or the expected "
            "payload is not built as per the protocol.",
        )


def _resource(path: str) -> tuple[str, str]:
    """The type and the link that a request's path names: of the resource, or for a feed of its owner."""
    parts = [part for part in path.split("/") if part]
    if parts[-2:] == ["operations", "partitionkeydelete"]:
        return "colls", "/".join(parts[:-2])
    if not parts:
        return "", ""
    if len(parts) % 2 and parts[-1] in _FEEDS:
        return parts[-1], "/".join(parts[:-1])
    return parts[-2] if len(parts) > 1 else parts[-1], "/".join(parts)
