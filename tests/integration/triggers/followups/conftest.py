"""The routes of follow-ups, called in this process as agents and operators call them."""

import json
import re
from urllib.parse import urlsplit

import azure.functions as func
import pytest

from shared.platform.access.failed_attempts import failed_attempts
from shared.platform.access.passwords import checking
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.conftest import crm, mails
from triggers.followups import followups

__all__ = ["crm", "mails"]

SECRET, ADMIN_KEY = "s" * 32, "the-admin-key"
OPERATIONS = [operation for routes in followups.routes for operation in routes.operations]


class Web:
    """Calls routes in this process, as whoever has signed in."""

    def __init__(self):
        self.token = None
        self.link = None

    async def __call__(self, method, path, body=None, *, status=200, admin=False):
        url = urlsplit(path)
        for operation in sorted(OPERATIONS, key=lambda one: one.name):
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.route)
            if operation.method == method and (found := re.fullmatch(pattern, url.path)):
                break
        else:
            raise AssertionError(f"no route takes {method} {path}")
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"X-Admin-Key": ADMIN_KEY} if admin else {}
        request = func.HttpRequest(
            method=method,
            url=f"https://app.example.com{path}",
            headers=headers,
            route_params=found.groupdict(),
            body=b"" if body is None else json.dumps(body).encode(),
        )
        answer = await operation.answer(request)
        assert answer.status_code == status, answer.get_body()
        self.link = answer.headers.get("Link")
        return json.loads(answer.get_body() or b"null")

    async def pages(self, path):
        """All rows of an array, page by page as the header Link says."""
        found = await self("GET", path)
        while self.link:
            found += await self("GET", self.link.partition("<")[2].partition(">")[0])
        return found

    async def register(self, email="alice@example.com", **profile):
        given = {"email": email, "password": "a long password", "name": "Alice Agent", "company": "Acme"}
        given |= {"postal_address": "1 Main Street", "opens": "00:00", "closes": "23:59:59"}
        given |= {"working_days": [1, 2, 3, 4, 5, 6, 7], **profile}
        session = await self("POST", "/api/agents/register", given, admin=True)
        self.token = session["access_token"]
        return session["agent"]

    async def client(self, email="ann@example.com", **fields):
        return await self(
            "POST", "/api/clients", {"email": email, "name": "Ann Client", "create_tasks": True, **fields}
        )


@pytest.fixture
def web(crm, mails, monkeypatch):
    monkeypatch.setenv("FOLLOWUPS_JWT_SECRET", SECRET)
    monkeypatch.setenv("ADMIN_API_KEY", ADMIN_KEY)
    monkeypatch.setattr(checking, "WAIT_SECONDS", 60)  # a busy machine has nobody wait in vain
    forget_settings()
    failed_attempts.forget()
    yield Web()
    failed_attempts.forget()
