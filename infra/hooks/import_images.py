"""Copy the images that apps are built on from Docker Hub into the registry of the deployed apps.

Docker Hub limits those who fetch without signing in, and many builders of Azure share an address. Each provisioning
copies them anew, so that they are as fresh.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from infra.hooks.azure import credential, manager
from shared.deploys.base_images import FOLDER, IMAGES

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

REGISTRY_API = "2025-04-01"
ATTEMPTS = 4
WAIT_SECONDS = 30
POLL_SECONDS = 5
POLLS = 60
ACCEPTED = 202


def import_images(client: httpx.Client, registry: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Copy each image, again a few times where that fails.

    Raises:
        SystemExit: one could not be copied.
    """
    for image in _images():
        for attempt in range(ATTEMPTS):
            why = _import(client, registry, image, sleep)
            if why is None:
                break
            if attempt + 1 == ATTEMPTS:
                remedy = "Run `azd hooks run postprovision` again in an hour; until then no app can be built."
                raise SystemExit(f"import_images: {image} could not be copied from Docker Hub: {why} {remedy}")
            sleep(WAIT_SECONDS)


def _images() -> list[str]:
    return [image for versions in IMAGES.values() for image in versions.values()]


def _import(client: httpx.Client, registry: str, image: str, sleep: Callable[[float], None]) -> str | None:
    """Copy one image; why not, if it could not be."""
    body = {
        "source": {"registryUri": "docker.io", "sourceImage": f"library/{image}"},
        "targetTags": [f"{FOLDER}/{image}"],
        "mode": "Force",
    }
    answer = client.post(f"{registry}/importImage", params={"api-version": REGISTRY_API}, json=body)
    for _ in range(POLLS):
        if answer.status_code != ACCEPTED:
            return None if answer.is_success else answer.text[:300]
        sleep(POLL_SECONDS)
        answer = client.get(answer.headers["Location"])
    return "it took longer than five minutes."


def main() -> None:
    registry = os.environ.get("CONTAINER_REGISTRY_ID")
    if not registry:
        raise SystemExit("import_images: CONTAINER_REGISTRY_ID not set. Run it as `azd hooks run postprovision`.")
    with manager(credential(os.environ)) as client:
        import_images(client, registry)
    sys.stderr.write(f"copied {', '.join(_images())}\n")


if __name__ == "__main__":
    main()
