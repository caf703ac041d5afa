"""Operators who sign in with Entra, in front of the app: App Service checks the sign-in and says who it was.

It removes these headers from what comes from outside, as long as it is switched on: so OPERATOR_SIGN_IN is `entra` only
where the Bicep switches it on. A browser sends the sign-in along by itself, also for a page of somebody else's that
makes it call us. What such a page cannot do is set a header of its own, which is therefore asked for as well.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, Final, cast

from shared.platform.errors import Forbidden, Unauthenticated
from shared.platform.settings import settings

if TYPE_CHECKING:
    import azure.functions as func

PRINCIPAL: Final = "X-MS-CLIENT-PRINCIPAL"
PRINCIPAL_NAME: Final = "X-MS-CLIENT-PRINCIPAL-NAME"
REQUESTED_BY: Final = "X-Requested-By"
SIGN_IN: Final = "/.auth/login/aad"
ROLE: Final = "operator"
"""The app role that an operator needs."""
_ROLE_CLAIMS: Final = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")


def signed_in(request: func.HttpRequest) -> bool:
    """Whether somebody is signed in and means this request."""
    config = settings()
    if config.operator_sign_in == "none" or not config.website_auth_enabled:
        return False
    return bool(_header(request, PRINCIPAL)) and bool(_header(request, REQUESTED_BY))


def operator_name(request: func.HttpRequest) -> str:
    """The name of the operator who is signed in.

    Raises:
        Forbidden: whoever is signed in is no operator.
    """
    if ROLE not in _roles(_header(request, PRINCIPAL)):
        raise Forbidden(
            f"Whoever is signed in has not the app role {ROLE}.",
            code="role-missing",
            remedy="Have the role assigned in Entra, under Enterprise applications, then sign in again.",
        )
    return _header(request, PRINCIPAL_NAME)[:100] or ROLE


def not_known(message: str, remedy: str) -> Unauthenticated:
    """The refusal of a caller who shows nothing that is known; where there is a sign-in, it says so."""
    if settings().operator_sign_in == "none":
        return Unauthenticated(message, remedy=remedy)
    return Unauthenticated(message, code="sign-in-needed", remedy=f"Sign in at {SIGN_IN}. {remedy}")


def _header(request: func.HttpRequest, name: str) -> str:
    return cast("str", request.headers.get(name, ""))


def _roles(principal: str) -> set[str]:
    """The roles that the platform names; none where what it says cannot be read."""
    try:
        decoded: object = json.loads(base64.b64decode(principal, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return set()
    claims = cast("dict[str, Any]", decoded).get("claims") if isinstance(decoded, dict) else None
    found = cast("list[object]", claims) if isinstance(claims, list) else []
    known = [cast("dict[str, object]", one) for one in found if isinstance(one, dict)]
    return {str(one.get("val")) for one in known if one.get("typ") in _ROLE_CLAIMS}
