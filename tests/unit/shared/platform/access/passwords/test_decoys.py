"""A check for an unknown address costs what one of an account costs, each cost as often as among accounts."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shared.platform.access.passwords.decoys import decoy_hash
from shared.platform.access.passwords.kinds import CURRENT, Cost, cost_of

OLD, OLDER = Cost("bcrypt", (12,)), Cost("bcrypt", (10,))
KEY = b"a key of the app"
ADDRESSES = [f"user{number}@example.com" for number in range(4000)]


def costs(accounts: dict[Cost, int], key: bytes = KEY) -> list[Cost]:
    return [cost_of(decoy_hash(address, key, accounts)) for address in ADDRESSES]


def test_unknown_addresses_have_each_cost_as_often_as_accounts() -> None:
    found = Counter(costs({CURRENT: 500, OLD: 300, OLDER: 200}))
    assert abs(found[CURRENT] - 2000) < 150
    assert abs(found[OLD] - 1200) < 150
    assert abs(found[OLDER] - 800) < 150


def test_an_address_keeps_its_kind_and_others_cannot_compute_it() -> None:
    accounts = {CURRENT: 1, OLD: 1}
    assert costs(accounts) == costs(accounts)
    assert costs(accounts) != costs(accounts, b"another key")


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_as_old_hashes_become_new_ones_unknown_addresses_move_with_them_and_never_back(one: int, other: int) -> None:
    before, after = max(one, other), min(one, other)
    for address in ADDRESSES[:50]:
        then = cost_of(decoy_hash(address, KEY, {OLD: before, CURRENT: 1000 - before}))
        now = cost_of(decoy_hash(address, KEY, {OLD: after, CURRENT: 1000 - after}))
        assert not (then == CURRENT and now == OLD)


def test_without_accounts_all_are_of_the_current_kind() -> None:
    assert set(costs({})) == {CURRENT}
    assert set(costs({OLD: 3, CURRENT: 0})) == {OLD}
