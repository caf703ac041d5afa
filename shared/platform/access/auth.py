"""Who is calling, and how a route finds out. Every HTTP route names one guard; there is no default."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, cast

from shared.platform.access import sign_in
from shared.platform.access.failed_attempts import failed_attempts
from shared.platform.errors import Forbidden, Unauthenticated
from shared.platform.settings import settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import azure.functions as func

ALL: Final = "*"
"""The operator's permission, which no key is granted."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent the request.

    Attributes:
        name: what to write into logs and rows; never a secret.
        permissions: what the caller may do, as the workload that asks for them names it; ALL is every one.
        organization: the only organization the caller may act for; None: the grant names none.
        headers: what the answer tells the caller about itself, such as what is left of its quota.
    """

    name: str
    permissions: frozenset[str] = frozenset()
    organization: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def may(self, permission: str) -> bool:
        """Whether the caller has this permission."""
        return permission in self.permissions or ALL in self.permissions


class Guard(Protocol):
    """One way to find out who is calling.

    Attributes:
        schemes: OpenAPI security schemes by name; any one of them lets a caller in. Empty: no proof is asked for.
    """

    @property
    def schemes(self) -> Mapping[str, Mapping[str, str]]: ...

    async def authenticate(self, request: func.HttpRequest) -> Caller:
        """The caller of `request`.

        Raises:
            Unauthenticated: nothing, or something wrong, was presented.
            Forbidden: the caller is known and may not use this route.
        """
        ...


def header(request: func.HttpRequest, name: str) -> str:
    """The header's value, or "" when it was not sent."""
    return cast("str", request.headers.get(name, ""))


class Public:
    """Lets everyone in."""

    schemes: Mapping[str, Mapping[str, str]] = {}

    async def authenticate(self, request: func.HttpRequest) -> Caller:  # noqa: ARG002 - a guard is given the request
        return Caller("anonymous")


class Operator:
    """Lets in who presents the operator's key, or is signed in as an operator where that is switched on.

    With neither ADMIN_API_KEY nor OPERATOR_SIGN_IN set it lets nobody in.
    """

    schemes: Mapping[str, Mapping[str, str]] = {
        "AdminKey": {"type": "apiKey", "in": "header", "name": "X-Admin-Key", "description": "The app's ADMIN_API_KEY."}
    }

    async def authenticate(self, request: func.HttpRequest) -> Caller:
        presented = header(request, "X-Admin-Key")
        if not presented and sign_in.signed_in(request):
            return Caller(sign_in.operator_name(request), frozenset({ALL}))
        expected = settings().admin_api_key
        if expected is None:
            raise Forbidden(
                "The operator's routes are closed: this app has no admin key.",
                code="admin-key-not-configured",
                remedy="Set ADMIN_API_KEY in the app's settings.",
            )
        if not presented:
            raise _no_admin_key()
        with failed_attempts.watched(request):
            # Bytes, since compare_digest refuses text outside ASCII; the time taken does not tell how much was right.
            if not hmac.compare_digest(presented.encode(), expected.get_secret_value().encode()):
                raise _no_admin_key()
        return Caller("admin", frozenset({ALL}))


def _no_admin_key() -> Unauthenticated:
    return sign_in.not_known(
        "The admin key is missing or wrong.", "Send the app's ADMIN_API_KEY in the X-Admin-Key header."
    )


PUBLIC: Guard = Public()
ADMIN: Guard = Operator()
