"""A mail of an account: one step, under the key of its orchestration."""

from typing import Any

import pytest

from activities.authcache.mails import Sent
from orchestrators.authcache.mails import write_letter
from shared.authcache.accounts.models import AccountMail
from shared.platform.errors import TerminalError

MAIL = AccountMail(kind="reset", address="ann@example.com", at_least=7)


def test_the_mail_is_handed_over_under_a_key_that_a_repeat_has_too(player: Any) -> None:
    player.fakes = {"send_letter": lambda _: Sent(sent=True)}
    assert player.play(write_letter, MAIL) == Sent(sent=True)
    [task] = player.named("send_letter")
    assert task.letter == MAIL
    assert task.key


def test_a_relay_that_refuses_the_mail_fails_the_whole(player: Any) -> None:
    def refuse(_: Any) -> Sent:
        raise TerminalError("no", code="mail-refused")

    player.fakes = {"send_letter": refuse}
    with pytest.raises(TerminalError, match="mail-refused"):
        player.play(write_letter, MAIL)
