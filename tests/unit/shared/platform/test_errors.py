"""What an error says of itself, in logs and to people."""

from __future__ import annotations

import pytest

from shared.platform.errors import Conflict, InvalidInput, ManifoldError, TerminalError, TransientError, UnusableCursor


def test_an_error_says_what_went_wrong_its_code_and_what_to_do() -> None:
    assert str(Conflict("It is running.", remedy="Wait.")) == "It is running. (conflict) Wait."
    assert str(Conflict("It is running.", code="already-running")) == "It is running. (already-running)"


def test_every_error_is_either_tried_again_or_not_and_has_a_code_of_its_own() -> None:
    def below(kind: type[ManifoldError]) -> set[type[ManifoldError]]:
        return {kind}.union(*(below(one) for one in kind.__subclasses__() if one.__module__ == kind.__module__))

    kinds = below(ManifoldError) - {ManifoldError}
    assert len(kinds) > 8
    assert all(issubclass(kind, TransientError) != issubclass(kind, TerminalError) for kind in kinds)
    codes = [kind.code for kind in kinds if "code" in vars(kind)]
    assert len(codes) == len(set(codes))


def test_input_that_cannot_be_used_names_its_field() -> None:
    assert InvalidInput("Too long.", field="name").field == "name"
    assert (UnusableCursor().field, UnusableCursor().code) == ("cursor", "unusable-cursor")


@pytest.mark.parametrize("seconds", [None, 2.5])
def test_a_service_may_ask_for_a_wait(seconds: float | None) -> None:
    assert TransientError("Busy.", retry_after=seconds).retry_after == seconds
