"""What the stand-in knows, and how time changes it: everything that takes long ends `seconds` after it began."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = "rg-apps"
LOCATION = "westeurope"
REGISTRY = "crmanifold"
SERVER = f"{REGISTRY}.azurecr.io"
DOMAIN = "apps.example.test"
ADDRESS = "203.0.113.10"
VERIFICATION = "5F2CC0A8D9"
PROVIDERS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers"
ENVIRONMENT = f"{PROVIDERS}/Microsoft.App/managedEnvironments/cae-manifold"
IDENTITY = f"{PROVIDERS}/Microsoft.ManagedIdentity/userAssignedIdentities/id-pull"
CLIENT_ID = "00000000-0000-0000-0000-000000000002"
"""Of the identity that deploys."""
APP_CLIENT_ID = "00000000-0000-0000-0000-000000000003"
"""Of the app's own identity, which has no rights here."""


def listed(body: Json, key: str) -> list[Json]:
    """The list under the key; empty where there is none, or null."""
    return body.get(key) or []


class ArmError(Exception):
    """A refusal in the resource manager's words; some of its providers leave out the envelope `error`."""

    def __init__(self, status: int, code: str, message: str, *, bare: bool = False) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.bare = bare


def throttled() -> ArmError:
    """What is answered to whoever asks too often."""
    return ArmError(429, "TooManyRequests", "The request is being throttled.")


def broken() -> ArmError:
    """What is answered when something in Azure fails."""
    return ArmError(503, "ServiceUnavailable", "The service is temporarily unavailable.")


def locked() -> ArmError:
    """What Container Apps answers while somebody else writes the same app."""
    text = "Cannot modify the container app because another modification is in progress. Please retry the operation."
    return ArmError(409, "ContainerAppLockConflict", text, bare=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of an image's build and of its revision.

    Attributes:
        build: how the run ends; None: it goes on until it is cancelled.
        log: what the builder says.
        pulled: whether the image can be fetched when it is released.
        healthy: what the revision's probes say.
        answer: status and text that the app answers with.
    """

    build: str | None = "Succeeded"
    log: str = "built it\n"
    pulled: bool = True
    healthy: bool = True
    answer: tuple[int, str] = (200, "an app")


@dataclass
class Operation:
    """A long-running write. `error` is why it fails in the end."""

    ends: float
    error: str | None = None

    @property
    def state(self) -> str:
        if time.monotonic() < self.ends:
            return "InProgress"
        return "Failed" if self.error else "Succeeded"


@dataclass
class Revision:
    """A version of an app."""

    name: str
    template: Json
    outcome: Outcome
    ready: float
    active: bool = True
    restarts: int = 0
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    logs: dict[str, str] = field(default_factory=dict[str, str])
    """Of its replicas, by their names: one, whose log tells the outcome, unless others are given."""

    def __post_init__(self) -> None:
        self.logs = self.logs or {f"{self.name}-1": self.outcome.answer[1]}

    @property
    def states(self) -> tuple[str, str, str]:
        """Provisioning, running and health state."""
        if time.monotonic() < self.ready:
            return "Provisioning", "Processing", "None"
        if not self.active:
            return "Deprovisioned", "Stopped", "None"
        if not self.outcome.healthy:
            return "Provisioned", "Failed", "Unhealthy"
        return "Provisioned", "Running", "Healthy"


@dataclass
class App:
    """A container app as it was last written."""

    name: str
    body: Json
    operation: Operation
    revisions: dict[str, Revision] = field(default_factory=dict[str, Revision])


@dataclass
class Run:
    """A build."""

    id: str
    request: Json
    outcome: Outcome
    began: float
    seconds: float
    cancelled: bool = False

    @property
    def status(self) -> str:
        if self.cancelled:
            return "Canceled"
        if time.monotonic() < self.began + self.seconds:
            return "Queued"
        if self.outcome.build is None or time.monotonic() < self.began + 2 * self.seconds:
            return "Running"
        return self.outcome.build

    @property
    def log(self) -> bytes:
        """What was said so far. The last line is written a little after the run has ended."""
        if self.status == "Queued":
            return b""
        pushing = (
            f"Pushing image: {SERVER}/{self.request['imageNames'][0]}\n" if self.outcome.build == "Succeeded" else ""
        )
        lines = (self.outcome.log + pushing).splitlines(keepends=True)
        return "".join(lines if self.logged or len(lines) == 1 else lines[:-1]).encode()

    @property
    def logged(self) -> bool:
        """Whether the log is complete."""
        ended = self.status not in ("Queued", "Running")
        return ended and (self.cancelled or time.monotonic() >= self.began + 3 * self.seconds)


@dataclass
class Certificate:
    """A managed certificate."""

    body: Json
    ready: float
    error: str | None = None


@dataclass
class Cloud:
    """Everything behind the routes; tests reach into it.

    Attributes:
        seconds: how long builds, writes, revisions and certificates take.
        retry_after: the Retry-After of answers, in seconds.
        trouble: what the next requests are answered instead.
        outcomes: by an image's tag.
        usual: the outcome of an image that has none of its own.
        dns: the host names whose records are right, with how they lead here: CNAME or A.
        failing_certificates: host names that no certificate can be issued for, with the reason.
        environments: the environments that apps may run in, by resource id.
        secrets: what the Key Vault holds.
        builds_allowed: whether the subscription may use ACR Tasks, which free and student ones may not.
        asked: how often each route was used, as "PUT containerApps".
        actions: the permissions that the requests so far have needed.
        written: type and version, method and body of each write so far.
        after: called with the permissions of a request that was carried out, before it is answered.
    """

    seconds: float = 0.1
    retry_after: int = 0
    trouble: list[ArmError] = field(default_factory=list[ArmError])
    outcomes: dict[str, Outcome] = field(default_factory=dict[str, Outcome])
    usual: Outcome = field(default_factory=Outcome)
    dns: dict[str, str] = field(default_factory=dict[str, str])
    failing_certificates: dict[str, str] = field(default_factory=dict[str, str])
    environments: set[str] = field(default_factory=lambda: {ENVIRONMENT})
    apps: dict[str, App] = field(default_factory=dict[str, App])
    operations: dict[str, Operation] = field(default_factory=dict[str, Operation])
    certificates: dict[str, Certificate] = field(default_factory=dict[str, Certificate])
    uploads: dict[str, bytes | None] = field(default_factory=dict[str, "bytes | None"])
    task_runs: dict[str, Json] = field(default_factory=dict[str, Json])
    runs: dict[str, Run] = field(default_factory=dict[str, Run])
    secrets: dict[str, str] = field(default_factory=dict[str, str])
    builds_allowed: bool = True
    asked: Counter[str] = field(default_factory=Counter[str])
    actions: set[str] = field(default_factory=set[str])
    written: list[tuple[str, str, Json]] = field(default_factory=list[tuple[str, str, Json]])
    after: Callable[[set[str]], None] = lambda _: None
    signature: str = field(default_factory=lambda: secrets.token_hex(16))

    def begin(self, error: str | None = None) -> tuple[str, Operation]:
        """A new long-running operation and its id."""
        id_ = secrets.token_hex(8)
        self.operations[id_] = operation = Operation(time.monotonic() + self.seconds, error)
        return id_, operation

    def outcome(self, image: str) -> Outcome:
        """What becomes of an image, named by its tag."""
        return self.outcomes.get(image.rsplit(":", 1)[-1], self.usual)

    def token(self, audience: str, client_id: str = CLIENT_ID) -> str:
        """What opens the service of that audience, and no other one, for the identity that has rights there."""
        return hmac.new(self.signature.encode(), f"{audience} {client_id}".encode(), hashlib.sha256).hexdigest()

    def images(self) -> set[str]:
        """The images that builds have pushed, with the registry's name."""
        return {f"{SERVER}/{run.request['imageNames'][0]}" for run in self.runs.values() if run.status == "Succeeded"}

    def serving(self, host: str) -> Revision | None:
        """The revision that answers under a host name: a revision's own, an app's or a bound custom domain."""
        for app in self.apps.values():
            for revision in app.revisions.values():
                if host == f"{revision.name}.{DOMAIN}":
                    return revision if revision.active else None
            ingress = app.body["properties"]["configuration"]["ingress"]
            bound = {one["name"] for one in listed(ingress, "customDomains") if one["bindingType"] == "SniEnabled"}
            if host == f"{app.name}.{DOMAIN}" or host in bound:
                for entry in ingress["traffic"]:
                    if entry["weight"]:
                        return app.revisions.get(entry["revisionName"])
        return None
