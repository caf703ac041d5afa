"""A stranger's check costs what one of the real accounts' costs, in the mix that these have."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shared.platform.access.passwords.kinds import CURRENT, Cost, cost_of
from shared.platform.access.passwords.strangers import stand_in

OLD, OLDER = Cost("bcrypt", (12,)), Cost("bcrypt", (10,))
KEY = b"a key of the app"
ADDRESSES = [f"user{number}@example.com" for number in range(4000)]


def costs(mix: dict[Cost, int], key: bytes = KEY) -> list[Cost]:
    return [cost_of(stand_in(address, key, mix)) for address in ADDRESSES]


def test_strangers_have_the_mix_of_those_who_are_known() -> None:
    found = Counter(costs({CURRENT: 500, OLD: 300, OLDER: 200}))
    assert abs(found[CURRENT] - 2000) < 150
    assert abs(found[OLD] - 1200) < 150
    assert abs(found[OLDER] - 800) < 150


def test_an_address_keeps_its_kind_and_others_cannot_compute_it() -> None:
    mix = {CURRENT: 1, OLD: 1}
    assert costs(mix) == costs(mix)
    assert costs(mix) != costs(mix, b"another key")


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_as_old_hashes_become_new_ones_strangers_move_with_them_and_never_back(one: int, other: int) -> None:
    before, after = max(one, other), min(one, other)
    for address in ADDRESSES[:50]:
        then = cost_of(stand_in(address, KEY, {OLD: before, CURRENT: 1000 - before}))
        now = cost_of(stand_in(address, KEY, {OLD: after, CURRENT: 1000 - after}))
        assert not (then == CURRENT and now == OLD)


def test_without_accounts_all_are_of_the_current_kind() -> None:
    assert set(costs({})) == {CURRENT}
    assert set(costs({OLD: 3, CURRENT: 0})) == {OLD}
