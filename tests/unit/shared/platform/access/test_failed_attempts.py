"""Who guesses keys is slowed down, and nobody else."""

from contextlib import ExitStack

import azure.functions as func
import pytest

from shared.platform.access import budgets
from shared.platform.access.failed_attempts import (
    ACCOUNT_BURST,
    ACCOUNT_GAP_SECONDS,
    BURST,
    GAP_SECONDS,
    FailedAttempts,
    address_of,
)
from shared.platform.errors import RateLimited, Unauthenticated, WrongPassword


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def request(address: str = "203.0.113.7:5123") -> func.HttpRequest:
    return func.HttpRequest("GET", "/x", headers={"X-Forwarded-For": address}, body=b"")


def attempt(attempts: FailedAttempts, address: str, account: str = "", *, right: bool = False) -> str:
    try:
        with attempts.watched(request(address), account):
            if not right:
                raise Unauthenticated("wrong")  # noqa: TRY301 - what is watched is what the block raises
    except Unauthenticated:
        return "refused"
    except RateLimited:
        return "slowed"
    return "let in"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> FailedAttempts:
    return FailedAttempts(clock)


def test_an_address_has_a_burst_and_then_one_try_each_gap(attempts, clock):
    assert [attempt(attempts, "a") for _ in range(BURST + 5)] == ["refused"] * BURST + ["slowed"] * 5
    clock.now += GAP_SECONDS
    assert [attempt(attempts, "a") for _ in range(3)] == ["refused", "slowed", "slowed"]
    clock.now += GAP_SECONDS * BURST
    assert [attempt(attempts, "a") for _ in range(BURST + 1)] == ["refused"] * BURST + ["slowed"]


def test_a_slowed_key_is_not_looked_at_and_the_answer_says_when_it_will_be(attempts, clock):
    for _ in range(BURST):
        attempt(attempts, "a")
    clock.now += 1
    with pytest.raises(RateLimited) as slowed, attempts.watched(request("a")):
        pytest.fail("it was looked at")
    assert slowed.value.retry_after == pytest.approx(GAP_SECONDS - 1)
    clock.now += slowed.value.retry_after
    assert attempt(attempts, "a", right=True) == "let in"


def test_right_keys_cost_nothing(attempts):
    assert {attempt(attempts, "a", right=True) for _ in range(10 * BURST)} == {"let in"}
    assert [attempt(attempts, "a") for _ in range(BURST)] == ["refused"] * BURST


def test_those_who_guess_many_at_once_are_slowed_too(attempts):
    with ExitStack() as under_way:
        for _ in range(BURST):
            under_way.enter_context(attempts.watched(request("a")))
        assert attempt(attempts, "a", right=True) == "slowed"
    assert [attempt(attempts, "a") for _ in range(BURST + 1)] == ["refused"] * BURST + ["slowed"]


def test_what_fails_otherwise_is_not_counted(attempts):
    for _ in range(2 * BURST):
        with pytest.raises(ValueError, match="away"), attempts.watched(request("a")):
            raise ValueError("away")


def test_another_address_is_not_slowed(attempts):
    for _ in range(BURST + 1):
        attempt(attempts, "a")
    assert attempt(attempts, "b") == "refused"


def test_an_account_has_a_burst_for_each_address_and_its_owner_is_let_in_from_another(attempts, clock):
    guesses = [attempt(attempts, "thief", "ann") for _ in range(50)]
    assert guesses == ["refused"] * ACCOUNT_BURST + ["slowed"] * (50 - ACCOUNT_BURST)
    assert attempt(attempts, "home", "ann", right=True) == "let in"
    assert attempt(attempts, "thief", "bob") == "refused"
    clock.now += ACCOUNT_GAP_SECONDS
    assert attempt(attempts, "thief", "ann", right=True) == "let in"


def test_who_tries_many_accounts_uses_up_what_the_address_has(attempts):
    tried = [attempt(attempts, "thief", f"user{number}") for number in range(BURST + 5)]
    assert tried == ["refused"] * BURST + ["slowed"] * 5


def test_many_accounts_may_log_in_at_once_from_behind_one_address(attempts):
    with ExitStack() as under_way:
        for number in range(3 * BURST):
            under_way.enter_context(attempts.watched(request("office"), f"user{number}"))
        assert attempt(attempts, "office", "another", right=True) == "let in"


def test_whoever_is_slowed_reads_what_to_do(attempts):
    for _ in range(ACCOUNT_BURST):
        attempt(attempts, "a", "ann")
    with pytest.raises(RateLimited) as slowed, attempts.watched(request("a"), "ann"):
        pytest.fail("it was looked at")
    assert "set a new password by mail" in (slowed.value.remedy or "")
    assert slowed.value.code == "too-many-attempts"


def test_what_is_remembered_is_bounded(attempts, monkeypatch):
    monkeypatch.setattr(budgets, "MOST_REMEMBERED", 3)
    for address in "abcad":
        attempt(attempts, address)
    assert list(attempts._addresses.full_at) == ["c", "a", "d"]


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("203.0.113.7:5123", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("10.0.0.1, 1.2.3.4:5, 203.0.113.7:5123", "203.0.113.7"),
        ("[2001:db8::7]:5123", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("", ""),
    ],
)
def test_the_address_is_the_last_one_without_its_port(sent, address):
    assert address_of(request(sent)) == address


def test_wrong_passwords_of_somebody_signed_in_count_as_those_of_a_log_in(attempts: FailedAttempts) -> None:
    for _ in range(ACCOUNT_BURST):
        with pytest.raises(WrongPassword), attempts.watched(request(), "ann@example.com"):
            raise WrongPassword("wrong")
    with pytest.raises(RateLimited), attempts.watched(request(), "ann@example.com"):
        pass
    assert attempt(attempts, "203.0.113.9:1", "ann@example.com", right=True) == "let in"
