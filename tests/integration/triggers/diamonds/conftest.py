"""The routes of diamonds, called in this process on a migrated database."""

import json
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func
import pytest

from tests.fresh_settings import forget_settings
from tests.integration.shared.diamonds.conftest import diamonds
from tests.integration.shared.diamonds.offer.conftest import client, key_for, shop
from tests.integration.shared.diamonds.pricing.conftest import offers
from triggers.diamonds import figures, offer, pricing

__all__ = ["client", "diamonds", "key_for", "offers", "shop"]

OPERATIONS = [one for module in (figures, offer, pricing) for one in module.routes.operations]


async def ask(method, url, *, headers=None, body=None):
    """The status, the body and the headers of what a route answers."""
    path = urlsplit(url).path.split("/")
    for operation in OPERATIONS:
        parts = operation.route.split("/")
        fits = len(parts) == len(path) and all(a == b or a.startswith("{") for a, b in zip(parts, path, strict=True))
        if operation.method == method and fits:
            break
    else:
        pytest.fail(f"no route answers {method} {url}")
    values = {part[1:-1]: given for part, given in zip(parts, path, strict=True) if part.startswith("{")}
    raw = b"" if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", **(headers or {})}
    request = func.HttpRequest(method, f"http://localhost{url}", headers=headers, route_params=values, body=raw)
    answer = await operation.answer(request)
    text = answer.get_body()
    found: Any = json.loads(text) if text else None
    return answer.status_code, found, dict(answer.headers)


async def ask_as_operator(method, url, body=None, **headers):
    return await ask(method, url, headers={"X-Admin-Key": "operator", **headers}, body=body)


@pytest.fixture
def call(migrated, monkeypatch):
    monkeypatch.setenv("ADMIN_API_KEY", "operator")
    forget_settings()
    return ask_as_operator
