"""What a route knows of its caller, and what its answer says of its age."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.platform.access.auth import Caller
from triggers.authcache.guard import LSN, MOST_LSN, AtLeast, answer, session_of


def test_the_session_of_a_caller_is_the_one_that_its_token_named() -> None:
    assert session_of(Caller("user-ann", organization="ann f1")) == "f1"


def test_an_answer_names_the_place_of_the_log_that_it_knows() -> None:
    reply = answer({"a": 1}, 42, 201)
    assert (reply.body, reply.status, reply.headers) == ({"a": 1}, 201, {LSN: "42"})


def test_a_caller_may_ask_for_any_place_that_a_log_can_have() -> None:
    assert AtLeast().x_lsn == 0
    assert AtLeast(x_lsn=MOST_LSN).x_lsn == MOST_LSN
    for wrong in (-1, MOST_LSN + 1):
        with pytest.raises(ValidationError):
            AtLeast(x_lsn=wrong)
