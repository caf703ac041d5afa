"""The services that a test has for itself: what it does to them is seen by no other."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local.killable import KillableService
from local.up import Ports, settings
from local.up.services import NAMES, services

OWN = ("servicebus", "supplier", "smtp")


@contextmanager
def services_of_its_own(folder: Path, *supplier: str) -> Generator[tuple[Ports, dict[str, str]]]:
    """Runs OWN, the supplier with these flags; where they listen, and the app's settings for them."""
    ports = Ports.free()
    with ExitStack() as running:
        for service in services(ports, folder, supplier):
            if service.name in OWN:
                running.enter_context(KillableService(service.command[2:]).running())
        yield (
            ports,
            settings(ports, set(NAMES) - set(OWN))
            | {
                "MANIFOLD_LOCAL_DIR": str(folder),
                "AUTHCACHE_FOLDER": str(folder / "authcache"),
            },
        )
