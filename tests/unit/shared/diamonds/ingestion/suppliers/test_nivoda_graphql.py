"""The token of the account, and that nothing secret shows."""

import asyncio
import logging
from typing import Any

import httpx
import pytest

from shared.platform.errors import TerminalError
from tests.unit.shared.diamonds.ingestion.suppliers.conftest import PRICES, WINDOW, counted, error


class TestToken:
    async def test_it_is_kept_and_renewed_before_six_hours(self, nivoda, script, clock):
        script.answers = [counted(1), counted(1), counted(1)]
        await nivoda.count(PRICES, WINDOW)
        clock.now += 5.4 * 3600
        await nivoda.count(PRICES, WINDOW)
        assert script.tokens == 1
        clock.now += 0.2 * 3600
        await nivoda.count(PRICES, WINDOW)
        assert script.tokens == 2
        assert script.requests[-1].headers["Authorization"] == "Bearer t2"

    @pytest.mark.parametrize("refusal", [httpx.Response(401), error("UNAUTHENTICATED")], ids=["401", "errors"])
    async def test_a_refused_one_is_renewed_at_once(self, nivoda, script, clock, refusal):
        script.answers = [refusal, counted(3)]
        assert await nivoda.count(PRICES, WINDOW) == 3
        assert script.tokens == 2
        assert clock.slept == []

    async def test_one_that_is_refused_again_is_tried_later(self, nivoda, script, clock):
        script.answers = [httpx.Response(401), httpx.Response(401), counted(3)]
        assert await nivoda.count(PRICES, WINDOW) == 3
        assert len(clock.slept) == 1

    async def test_many_that_need_one_ask_for_it_once(self, nivoda, script):
        def answer(_: Any) -> httpx.Response:
            last = script.requests[-1].headers["Authorization"]
            return httpx.Response(401) if last == "Bearer t1" else counted(1)

        script.answers = [answer] * 60
        await asyncio.gather(*(nivoda.count(PRICES, WINDOW) for _ in range(20)))
        assert script.tokens == 2

    @pytest.mark.parametrize(
        "refusal", [httpx.Response(401), error("UNAUTHENTICATED", "Invalid")], ids=["401", "errors"]
    )
    async def test_wrong_credentials_are_terminal_and_name_the_settings(self, nivoda, script, clock, refusal):
        script.logins = [refusal]
        with pytest.raises(TerminalError, match="NIVODA_PASSWORD") as raised:
            await nivoda.count(PRICES, WINDOW)
        assert raised.value.code == "supplier-credentials"
        assert clock.slept == []


class TestSecrets:
    async def test_a_server_that_quotes_the_password_is_not_quoted(self, nivoda, script):
        script.logins = [error("BAD_USER_INPUT", 'Variable "$password" got "correct horse"')]
        with pytest.raises(TerminalError) as raised:
            await nivoda.count(PRICES, WINDOW)
        assert "correct horse" not in str(raised.value)
        assert "***" in raised.value.message

    async def test_no_password_in_a_refusal_of_another_kind(self, nivoda, script):
        script.logins = [httpx.Response(400, text="bad: correct horse")]
        with pytest.raises(TerminalError) as raised:
            await nivoda.count(PRICES, WINDOW)
        assert "correct horse" not in str(raised.value)

    async def test_nothing_secret_is_logged_or_shown(self, nivoda, script, caplog):
        caplog.set_level(logging.DEBUG)
        script.answers = [httpx.Response(401), httpx.Response(500), counted(1)]
        await nivoda.count(PRICES, WINDOW)
        assert "correct horse" not in caplog.text
        assert "Bearer" not in caplog.text
        assert "correct horse" not in repr(nivoda._account)


@pytest.mark.parametrize(
    "said",
    [
        "Bearer t1", '{"authorization": "Bearer t1"}', '{"password": "correct horse"}', "password=correct%20horse",
        "correct+horse", "Y29ycmVjdCBob3JzZQ==", r"correct\u0020horse correct horse",
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 400])
async def test_what_a_server_quotes_of_a_request_shows_no_secret(nivoda, script, said, status):
    errors = {"errors": [{"message": said, "extensions": {"code": "BAD_USER_INPUT"}}]}
    script.answers = [httpx.Response(status, json=errors)] * 3
    with pytest.raises(TerminalError) as refused:
        await nivoda.count(PRICES, WINDOW)
    for secret in ("correct horse", "correct%20horse", "correct+horse", "Y29ycmVjdCBob3JzZQ", "Bearer t1"):
        assert secret not in str(refused.value)


async def test_what_a_server_quotes_in_the_code_of_an_error_shows_no_secret(nivoda, script):
    codes = ["BAD_USER_INPUT", "t1", "correct horse", "NEW_CODE"]
    errors = {"errors": [{"message": "x", "extensions": {"code": code}} for code in codes]}
    script.answers = [httpx.Response(200, json=errors)]
    with pytest.raises(TerminalError, match=r"refused a query \(BAD_USER_INPUT\): x; x; x; x"):
        await nivoda.count(PRICES, WINDOW)
