"""An issuer of ID tokens, as Google and Entra ID are: it signs with RSA keys and shows their public halves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ALGORITHM = "RS256"


def _key() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Identity:
    """The issuer.

    Attributes:
        keys: by their ids; those that are taken away are withdrawn.
        fetched: how often the keys were asked for.
    """

    keys: dict[str, RSAPrivateKey] = field(default_factory=lambda: {"first": _key()})
    fetched: int = 0

    def token(self, key_id: str = "first", **claims: Any) -> str:
        """A signed token that is good for an hour; a claim that is None is left out."""
        now = datetime.now(UTC)
        payload = {"iat": now, "exp": now + timedelta(hours=1), "sub": "1234567890", **claims}
        payload = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(payload, self.keys[key_id], ALGORITHM, headers={"kid": key_id})

    def rotate(self) -> None:
        """Sign with a new key from now on, and withdraw the old one."""
        self.keys = {f"{next(iter(self.keys))}-next": _key()}

    def app(self) -> Starlette:
        """Its HTTP side: the same keys at every address."""
        return Starlette(routes=[Route("/{path:path}", self._shown, methods=["GET"])])

    async def _shown(self, _request: Request) -> Response:
        self.fetched += 1
        shown = [
            RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": name, "use": "sig", "alg": ALGORITHM}
            for name, key in self.keys.items()
        ]
        return JSONResponse({"keys": shown}, headers={"Cache-Control": "public, max-age=3600"})
