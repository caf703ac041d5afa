"""Asks a route of a module of routes the way its function would, with a stand-in for the durable client."""

import json
import re
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import azure.functions as func
import pytest
from pydantic import SecretStr

from shared.platform.access import auth, sign_in


@pytest.fixture
def admin(monkeypatch):
    """The headers of an operator."""
    monkeypatch.setattr(auth, "settings", lambda: SimpleNamespace(admin_api_key=SecretStr("s3cret")))
    monkeypatch.setattr(sign_in, "settings", lambda: SimpleNamespace(operator_sign_in="none"))
    return {"X-Admin-Key": "s3cret"}


@pytest.fixture
def ask(monkeypatch):
    async def ask(routes, method, url, *, client=None, headers=None, body=None):
        path = urlsplit(url).path
        for operation in routes.operations:
            pattern = re.sub(r"\{\*(\w+)\}", r"(?P<\1>.*)", operation.route)
            match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern), path)
            if match and operation.method == method:
                break
        else:
            pytest.fail(f"No route answers {method} {url}.")
        if "client" in operation.inputs.types:
            monkeypatch.setitem(operation.inputs.types, "client", lambda raw: raw)
        raw = b"" if body is None else json.dumps(body).encode()
        headers = (headers or {}) | ({} if body is None else {"content-type": "application/json"})
        parts = {name: unquote(value) for name, value in match.groupdict().items()}
        return await operation.answer(
            func.HttpRequest(method, url, headers=headers, route_params=parts, body=raw), client
        )

    return ask
