"""The guard of routes that clients use."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from shared.platform.access.api_keys import signatures
from shared.platform.access.api_keys.grants import Grant, Grants, grants
from shared.platform.access.auth import ADMIN, Caller, header
from shared.platform.access.client_quota import take
from shared.platform.access.failed_attempts import failed_attempts
from shared.platform.access.sign_in import not_known, signed_in
from shared.platform.errors import Forbidden, Unauthenticated
from shared.platform.settings import settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import azure.functions as func

_NOBODY: Final = Grant(0, "", bytes(32), frozenset())


class ApiKey:
    """Lets in clients that were granted `permission`, each as often as its quota allows; see the package's page.

    None: lets in every client that has any grant.
    """

    schemes: Mapping[str, Mapping[str, str]] = {
        "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A client's key."},
        "Signature": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Signature",
            "description": "HMAC-SHA256 in hexadecimal over method, path, timestamp and the body's sha256 in"
            " hexadecimal, joined by newlines; with X-Client-Id and X-Timestamp (seconds since 1970). Good once.",
        },
        **ADMIN.schemes,
    }

    def __init__(self, permission: str | None) -> None:
        self.permission = permission

    async def authenticate(self, request: func.HttpRequest) -> Caller:
        """The client; refuses also with RateLimited, when its quota is used up."""
        if header(request, "X-Admin-Key") or (not _presents_a_grant(request) and signed_in(request)):
            return await ADMIN.authenticate(request)
        known = await grants()
        grant = await _grant(request, known)
        await known.note_use(grant)
        left = await take(grant.client_name, settings().client_requests_per_minute)
        caller = Caller(grant.client_name, grant.permissions, grant.organization, left)
        if self.permission is not None and not caller.may(self.permission):
            raise Forbidden(
                f"{grant.client_name} has not the permission {self.permission}.",
                code="permission-missing",
                remedy="Ask the operator for a key with it.",
            )
        return caller


def _presents_a_grant(request: func.HttpRequest) -> bool:
    return bool(header(request, "X-API-Key") or header(request, "X-Client-Id"))


async def _grant(request: func.HttpRequest, known: Grants) -> Grant:
    if key := header(request, "X-API-Key"):
        with failed_attempts.watched(request):
            return _of_key(key, known)
    if header(request, "X-Client-Id"):
        signed = signatures.read(request)
        with failed_attempts.watched(request):
            grant = _of_signature(signed, known)
        await _use_once(signed, known)
        return grant
    raise not_known("Nothing says who is calling.", "Send your key in the X-API-Key header, or sign the request.")


def _of_key(key: str, known: Grants) -> Grant:
    # Looked up by its digest: how long that takes tells about digests, and nobody can make a key for a wanted one.
    digest = sha256(key.encode()).digest()
    grant = known.by_hash.get(digest, _NOBODY)
    if not (hmac.compare_digest(grant.key_hash or b"", digest) and grant.valid()):
        raise Unauthenticated(
            "The API key is not known, was revoked or has expired.", remedy="Ask the operator for a new key."
        )
    return grant


def _of_signature(signed: signatures.Signed, known: Grants) -> Grant:
    secrets = [secret.get_secret_value().encode() for secret in settings().hmac_secrets.get(signed.client, ())]
    right = signatures.matches(signed, secrets)
    grant = known.by_client.get(signed.client)
    if not right or grant is None or not grant.valid():
        raise Unauthenticated(
            "The signature is not that of a known client for this request.",
            remedy="Sign method, path, timestamp and the body's sha256, joined by newlines, with the client's secret.",
        )
    return grant


async def _use_once(signed: signatures.Signed, known: Grants) -> None:
    expires_at = datetime.fromtimestamp(signed.expires_at, UTC)
    if not await known.first_use(signed.client, signed.use, expires_at):
        raise Unauthenticated(
            "This signed request was received before.",
            code="signature-replayed",
            remedy="Sign each request anew, with the time at which it is sent.",
        )
