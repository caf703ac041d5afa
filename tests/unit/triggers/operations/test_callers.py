import json

from triggers.operations.callers import routes


async def test_the_operator_may_everything(ask, admin):
    answer = await ask(routes, "GET", "/ops/caller", headers=admin)
    assert json.loads(answer.get_body()) == {"name": "admin", "permissions": ["*"], "organization": None}


async def test_nobody_is_told_nothing(ask, admin):
    assert (await ask(routes, "GET", "/ops/caller", headers={"X-Admin-Key": "wrong"})).status_code == 401
