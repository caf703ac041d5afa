"""The permissions that requests need, by the names that roles list them under."""

from __future__ import annotations

from local.arm.cloud import PROVIDERS

_VERBS = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_OF_A_WRITTEN_APP = {
    "Microsoft.App/managedEnvironments/join/action",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
}
"""A write of a container app names its environment and the identity that fetches its image."""


def type_of(path: str) -> str:
    """The type of the resource at a path: its provider, then every other part, the rest being names.

    What ends in a type is a list of resources or, in a POST, what is to be done with the one before.
    """
    provider, *rest = path.removeprefix(f"{PROVIDERS}/").split("/")
    return "/".join([provider, *rest[::2]])


def needed(method: str, path: str) -> set[str]:
    """The permissions for a request of the resource manager."""
    if method == "POST":
        return {f"{type_of(path)}/action"}
    found = {f"{type_of(path)}/{_VERBS[method]}"}
    return found | _OF_A_WRITTEN_APP if found == {"Microsoft.App/containerApps/write"} else found
