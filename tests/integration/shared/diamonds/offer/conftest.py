"""Diamonds on offer, and the keys of those who look for them."""

from itertools import count
from types import SimpleNamespace

import pytest

from shared.platform.access.api_keys.__main__ import _create, _options
from shared.platform.stores.postgres import database, rows

_numbers = count(1)
_PLAIN = {
    "feed": "nivoda",
    "offer_id": "DIAMOND/1",
    "shape": "ROUND",
    "carats": "1.00",
    "color": "G",
    "clarity": "VS1",
    "cut": "EX",
    "lab_grown": False,
    "price_model_price": "1000.00",
    "price_per_carat": "1000.00",
    "retail_price": "1150.00",
    "markup_ratio": "1.15",
    "availability": "available",
    "feed_availability": "available",
}


async def offer(**columns):
    """Put one diamond on offer; its id."""
    values = {**_PLAIN, "supplier_stone_id": f"stone-{next(_numbers)}", **columns}
    names = ", ".join(values)
    marks = ", ".join(f"%({name})s" for name in values)
    async with database() as connection:
        return (
            await rows(connection, f"insert into diamonds.diamonds ({names}) values ({marks}) returning id", values)
        )[0]["id"]


async def fetch(query, *parameters):
    """Run a statement; its rows, each as a dictionary."""
    async with database() as connection:
        if query.startswith("select"):
            return await rows(connection, query, parameters)
        await connection.execute(query, parameters)
        return []


async def grant(capsys, *arguments):
    """What the command to create a grant prints: a key, or a secret to sign with."""
    assert await _create(_options(["create", *arguments])) == 0
    return capsys.readouterr().out.strip()


@pytest.fixture
def shop(migrated):
    """The helpers of this folder, on a migrated database."""
    return SimpleNamespace(offer=offer, fetch=fetch)


@pytest.fixture
def key_for(migrated, capsys):
    """Makes a key: `await key_for("client", "permission", ...)`."""

    async def make(client, *permissions):
        given = [part for permission in permissions for part in ("--permission", permission)]
        return await grant(capsys, "--client", client, *given)

    return make


@pytest.fixture
async def client(key_for):
    """The headers of a client that may read and trade."""
    return {"X-API-Key": await key_for("acme", "diamonds:read", "diamonds:trade")}
