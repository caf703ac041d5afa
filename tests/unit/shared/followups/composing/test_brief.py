"""What a writer is given."""

import pytest

from tests.unit.shared.followups.composing.drafts import BRIEF


@pytest.mark.parametrize(("name", "first"), [("Ann, of Elm", "Ann"), (", Ann", ""), ("O'Brien <b>", "O'Brien")])
def test_a_client_is_called_by_the_first_word_without_what_parts_it_from_the_next(name, first):
    assert BRIEF.model_copy(update={"client_name": name}).first_name == first
