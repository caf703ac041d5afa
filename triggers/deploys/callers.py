"""Whose deployments a caller may see and change: its own organization's; with the admin key, those of each."""

from __future__ import annotations

from pydantic import ConfigDict

from shared.deploys.models import Name
from shared.platform.access.api_keys import ApiKey
from shared.platform.access.auth import ALL, Caller
from shared.platform.errors import Forbidden, InvalidInput
from shared.platform.models import LazyModel

READ = ApiKey("deploys:read")
WRITE = ApiKey("deploys:write")


class OrganizationQuery(LazyModel):
    """Whose: needed with the admin key, else the key's own."""

    model_config = ConfigDict(extra="forbid")
    organizationId: Name | None = None  # noqa: N815 - the name on the wire


def scope_of(caller: Caller) -> str | None:
    """The organization whose documents the caller may see; None: all."""
    if caller.may(ALL):
        return None
    if caller.organization is None:
        raise Forbidden(
            f"The key of {caller.name} names no organization.",
            code="organization-missing",
            remedy="Ask the operator for a key with one.",
        )
    return caller.organization


def organization_of(caller: Caller, organization: str | None) -> str:
    """The organization that the caller acts for."""
    own = scope_of(caller)
    if own is None and organization is None:
        raise InvalidInput("The admin key acts for every organization.", field="organizationId", remedy="Name one.")
    if own is not None and organization not in (None, own):
        raise _not_own(own)
    return own or organization or ""


def require_own(caller: Caller, organization: str) -> None:
    """Raises Forbidden: the organization is not the caller's."""
    if (own := scope_of(caller)) not in (None, organization):
        raise _not_own(own or "")


def _not_own(own: str) -> Forbidden:
    return Forbidden(
        "The key is another organization's.", code="other-organization", remedy=f"Act for {own}, the key's own."
    )
