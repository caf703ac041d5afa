"""A client with a key, one that signs, and the requests that they send."""

import time

import azure.functions as func
import pytest

from shared.platform.access.api_keys import ApiKey, grants
from shared.platform.access.api_keys.__main__ import _main, _options
from shared.platform.access.api_keys.signatures import message, sign
from shared.platform.stores.postgres import database
from tests.fresh_settings import forget_settings

GUARD = ApiKey("diamonds:read")
URL = "http://localhost/api/v2/diamonds?shape=ROUND"
PATH = "/api/v2/diamonds"


def request(method="GET", url=URL, body=b"", **headers):
    return func.HttpRequest(method, url, headers={k.replace("_", "-"): v for k, v in headers.items()}, body=body)


def signed(secret, method="GET", url=URL, path=PATH, body=b"", *, client="acme", at=None, body_sent=None):
    at = str(int(time.time()) if at is None else at)
    signature = sign(secret.encode(), message(method, path, at, body)).hex()
    sent = body if body_sent is None else body_sent
    return request(method, url, sent, X_Client_Id=client, X_Timestamp=at, X_Signature=signature)


def notice():
    """Let the instance forget what it knows, as it does after FRESH_SECONDS; also what another instance starts with."""
    grants._grants.clear()


async def fetch(query):
    async with database() as db:
        return await (await db.execute(query)).fetchall()


@pytest.fixture
def command(migrated, capsys):
    """Runs the command: what it answered and printed."""

    async def run(*arguments):
        code = await _main(_options(list(arguments)))
        notice()
        messages = capsys.readouterr()
        return code, messages.out.strip(), messages.err.strip()

    return run


@pytest.fixture
async def key(command):
    code, key, _ = await command(
        "create", "--client", "acme", "--permission", "diamonds:read", "--organization", "org-1"
    )
    assert code == 0
    return key


@pytest.fixture
async def secret(command, monkeypatch):
    """The secret of the client acme, which signs."""
    _, secret, _ = await command("create", "--client", "acme", "--permission", "diamonds:read", "--hmac")
    monkeypatch.setenv("HMAC_SECRETS", f'{{"acme": "{secret}", "nograant": "{"x" * 32}"}}')
    forget_settings()
    return secret
