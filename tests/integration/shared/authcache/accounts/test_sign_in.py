"""Log-ins: what is checked, in which time, and what becomes of old hashes."""

from collections import Counter

import bcrypt
import pytest

from shared.authcache.accounts import importing, lifecycle, sign_in
from shared.authcache.accounts.models import ImportedUser
from shared.authcache.accounts.password_costs import password_costs
from shared.authcache.store import store
from shared.platform.access.passwords import checking, kinds
from shared.platform.access.passwords.kinds import CURRENT, Cost, cost_of, new_hash
from shared.platform.errors import TransientError, Unauthenticated
from tests.integration.shared.authcache.accounts.conftest import PASSWORD, registered
from tests.present import present

LONG = "p" * 100
ROUNDS = 4


def old(password, version="2b"):
    return f"${version}{bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(ROUNDS))[3:].decode()}"


async def imported(email, stored, **fields):
    row = ImportedUser(email=email, first_name="Old", last_name="User", password_hash=stored, **fields)
    report, _ = await importing.import_users([row])
    assert report.created == 1, report
    return report.rows[0].id


async def log_in(email, password=PASSWORD):
    return await sign_in.log_in(await store().view(), sign_in.key_of(email), password)


@pytest.mark.parametrize("email", ["Ann@EXAMPLE.com", "ann@example.com.", " ANN@Example.COM"])
async def test_the_right_password_opens_the_account_however_its_address_is_written(email):
    user = await registered("ann@example.com")
    assert (await log_in(email)).id == user.id


@pytest.mark.parametrize("version", ["2a", "2b", "2y"])
async def test_an_old_hash_of_a_long_password_logs_in_and_becomes_a_new_one_of_all_of_it(version):
    user_id = await imported("old@example.com", old(LONG, version))
    assert (await log_in("old@example.com", LONG)).id == user_id
    stored = present(await (await store().view()).user_by_id(present(user_id))).password_hash
    assert cost_of(stored) == CURRENT
    assert (await log_in("old@example.com", LONG)).id == user_id
    with pytest.raises(Unauthenticated):
        await log_in("old@example.com", LONG[:72])


async def test_the_new_hash_ends_no_session_and_gives_way_to_a_changed_password(monkeypatch):
    user_id = await imported("old@example.com", old(PASSWORD))
    before = present(await (await store().view()).user_by_id(present(user_id)))
    await lifecycle.change_password(before, PASSWORD, "another long password")
    with pytest.raises(Unauthenticated):
        await lifecycle.upgrade_hash(before, PASSWORD)
    assert (await log_in("old@example.com", "another long password")).id == user_id


async def test_a_new_password_of_100_bytes_is_not_cut():
    await registered("ann@example.com", password=LONG)
    assert await log_in("ann@example.com", LONG)
    with pytest.raises(Unauthenticated):
        await log_in("ann@example.com", LONG[:72])


async def test_a_log_in_goes_on_though_its_old_hash_cannot_be_replaced_now(monkeypatch):
    user_id = await imported("old@example.com", old(PASSWORD))

    async def busy(*_):
        raise TransientError("busy")

    monkeypatch.setattr(lifecycle, "hashed", busy)
    assert (await log_in("old@example.com")).id == user_id


@pytest.fixture
def checks(monkeypatch):
    """What each check cost: the time that it takes follows from that alone, so nothing here needs a clock."""
    made = []

    def record(cost, *_):
        made.append(cost)
        return False

    monkeypatch.setattr(kinds, "verify", record)
    return made


async def costs_of(checks, emails):
    checks.clear()
    for email in emails:
        with pytest.raises(Unauthenticated):
            await log_in(email, "wrong")
    assert len(checks) == len(emails), "each log-in is one check, whoever asks for whom"
    return list(checks)


async def test_every_log_in_costs_one_check_of_a_cost_that_accounts_have(checks, monkeypatch):
    stored = {Cost("bcrypt", (ROUNDS,)): old(PASSWORD), CURRENT: new_hash(PASSWORD)}
    users = [
        ImportedUser(
            email=f"user{number}@example.com",
            first_name="A",
            last_name="B",
            password_hash=stored[CURRENT] if number % 4 else stored[Cost("bcrypt", (ROUNDS,))],
            is_active=number % 5 > 0,
        )
        for number in range(200)
    ]
    await importing.import_users(users)
    assert await password_costs() == {CURRENT: 150, Cost("bcrypt", (ROUNDS,)): 50}

    unknown_emails = [f"nobody{number}@example.com" for number in range(400)]
    wrong = Counter(await costs_of(checks, [user.email for user in users]))
    unknown = await costs_of(checks, unknown_emails)
    assert wrong == {CURRENT: 150, Cost("bcrypt", (ROUNDS,)): 50}
    assert 260 < Counter(unknown)[CURRENT] < 340
    assert await costs_of(checks, unknown_emails) == unknown, "an address that nobody has keeps its kind"
    inactive = [user.email for user in users if not user.is_active]
    active_ones = Counter(await costs_of(checks, [user.email for user in users if user.is_active]))
    assert Counter(await costs_of(checks, inactive)) + active_ones == wrong
    assert set(await costs_of(checks, ["no address", "\u0430nn@example.com"])) <= set(stored)


async def test_a_hash_of_a_gibibyte_is_refused_by_an_import_and_costs_no_more_where_it_stands(checks):
    huge = "$argon2id$v=19$m=1048576,t=2,p=1$" + "A" * 22 + "$" + "A" * 43
    row = ImportedUser(email="a@example.com", first_name="A", last_name="B", password_hash=huge)
    report, _ = await importing.import_users([row])
    assert [(one.status, "more than one check may take" in (one.detail or "")) for one in report.rows] == [
        ("refused", True)
    ]
    assert not await checking.matches("x", huge)
    assert checks == [CURRENT]


async def test_inactive_users_are_refused_in_the_same_terms(monkeypatch):
    user = await registered("ann@example.com")
    await lifecycle.set_active(user.id, active=False)
    refused = []
    for email, password in [("ann@example.com", PASSWORD), ("ann@example.com", "wrong"), ("nobody@example.com", "x")]:
        with pytest.raises(Unauthenticated) as error:
            await log_in(email, password)
        refused.append((error.value.message, error.value.code, error.value.remedy))
    assert len(set(refused)) == 1
    await lifecycle.set_active(user.id, active=True)
    assert (await log_in("ann@example.com")).id == user.id
