"""A stand-in for the durable host that notes what routes start, and callers as the guard lets them on."""

from typing import Any

import azure.functions as func
import pytest

from shared.platform.access.auth import Caller
from triggers.authcache.guard import AtLeast


class Starts:
    """Takes whatever is started, by the name of the orchestration."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []

    async def start(self, orchestration: Any, request: Any) -> None:
        self.requests.append((orchestration.name, request))

    @property
    def mails(self) -> list[tuple[str, str]]:
        """Of each mail that was asked for, its kind and where it goes instead of the account's address."""
        return [(mail.kind, mail.to) for name, mail in self.requests if name == "write_letter"]


@pytest.fixture
def starts():
    """A host that has started nothing yet."""
    return Starts()


def caller(user_id: str) -> Caller:
    """The user of that id, in some session."""
    return Caller(f"user-{user_id}", organization=f"{user_id} family")


def called(user_id: str, at_least: int = 0) -> dict[str, Any]:
    """How a route is called by the user of that id, who knows the log up to that place."""
    return {"caller": caller(user_id), "headers": AtLeast(x_lsn=at_least)}


def request() -> func.HttpRequest:
    """A request from nowhere in particular."""
    return func.HttpRequest("POST", "http://localhost/api/v1", headers={}, body=b"")
