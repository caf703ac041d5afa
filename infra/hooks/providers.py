"""See that the subscription knows the resource providers that the other hooks ask before anything is deployed.

A deployment registers what it needs by itself, but a subscription on which nothing was ever deployed refuses even to
list what there is: MissingSubscriptionRegistration.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

PROVIDERS_API = "2022-09-01"
ASKED = ("Microsoft.DBforPostgreSQL", "Microsoft.KeyVault", "Microsoft.Web")
POLL_SECONDS = 5
POLLS = 60


def register(
    client: httpx.Client,
    subscription: str,
    sleep: Callable[[float], None] = time.sleep,
    *,
    names: tuple[str, ...] = ASKED,
) -> None:
    """Register the providers that are not, and wait until they are.

    Raises:
        SystemExit: who provisions may not register one, or it took longer than five minutes.
    """
    for provider in names:
        path = f"/subscriptions/{subscription}/providers/{provider}"
        state = _state(client.get(path, params={"api-version": PROVIDERS_API}))
        if state == "Registered":
            continue
        sys.stderr.write(f"registering {provider}, which this subscription has not used yet ...\n")
        answer = client.post(f"{path}/register", params={"api-version": PROVIDERS_API})
        remedy = f"Let an owner of the subscription run `az provider register --namespace {provider} --wait`."
        if not answer.is_success:
            raise SystemExit(f"{provider} could not be registered: Azure answered {answer.status_code}. {remedy}")
        for _ in range(POLLS):
            if _state(client.get(path, params={"api-version": PROVIDERS_API})) == "Registered":
                break
            sleep(POLL_SECONDS)
        else:
            raise SystemExit(f"{provider} is not registered after five minutes. {remedy}")


def _state(answer: httpx.Response) -> str:
    """What Azure says of the registration; of a provider that it does not show, nothing."""
    return answer.json().get("registrationState", "") if answer.is_success else ""
