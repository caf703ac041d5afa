"""`python -m tools.dry_run [NAME=VALUE ...]`: a first provisioning and a second one, without Azure.

Prints how many resources of which type there would be. The variables are those of azd's environment.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from infra.hooks.prepare_environment import found_out
from local.arm.provisioning.requests import client
from local.arm.provisioning.subscription import Subscription
from tools.bicep_check.syntax import parse
from tools.dry_run.azd import resolve
from tools.dry_run.deployment import InvalidParameter, provision

BICEP = Path(__file__).parents[2] / "infra" / "bicep"
DESCRIBED = {
    "AZURE_ENV_NAME": "dry-run",
    "AZURE_LOCATION": "northeurope",
    "AZURE_PRINCIPAL_ID": "11111111-1111-1111-1111-111111111111",
    "AZURE_PRINCIPAL_TYPE": "User",
    "DATABASE_ADMIN_NAME": "operator@example.com",
    "ALERT_EMAIL_TO": "operators@example.com",
}
GENERATED = "k" * 40


def run(subscription: Subscription, given: dict[str, str]) -> dict[str, Any]:
    """One provisioning: the hook before it, the parameters as azd resolves them, every resource; its outputs.

    Raises:
        SystemExit: azd would ask for a parameter, a value is none, or Azure would refuse a resource.
    """
    environment = {**DESCRIBED, "AZURE_SUBSCRIPTION_ID": subscription.id, **given}
    with client(subscription) as azure:
        environment |= found_out(azure, environment, subscription.today)
        resolved = resolve((BICEP / "main.parameters.json").read_text(), parse(BICEP / "main.bicep"), environment)
        if resolved.asked:
            raise SystemExit(f"azd would ask for {', '.join(resolved.asked)}.")
        try:
            return provision(
                BICEP, resolved.values | dict.fromkeys(resolved.generated, GENERATED), azure, subscription.id
            )
        except InvalidParameter as error:
            raise SystemExit(str(error)) from None
        except httpx.HTTPStatusError as error:
            refusal = error.response.json()["error"]
            raise SystemExit(f"{error.request.url.path}: {refusal['code']} {refusal['message']}") from None


def main() -> None:
    subscription = Subscription()
    given = dict(one.split("=", 1) for one in sys.argv[1:])
    for _ in ("first", "second"):
        run(subscription, given)
    counted = Counter(one["type"] for one in subscription.resources.values())
    lines = [f"{number:4} {kind}" for kind, number in sorted(counted.items())] if given else []
    summary = f"dry run: {sum(counted.values())} resources, provisioned twice, nothing refused"
    sys.stdout.write("\n".join([*lines, summary, ""]))


if __name__ == "__main__":
    main()
