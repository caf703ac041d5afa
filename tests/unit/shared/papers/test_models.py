"""What a file in the papers' container may be called."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.papers.models import BlobName

NAMES: Any = TypeAdapter(BlobName)


@pytest.mark.parametrize("name", ["../x", "a/./x", "/x", "a//x", "a/", "x\0", "x\n", "", "x" * 901])
def test_a_name_that_no_file_can_have_is_refused(name):
    with pytest.raises(ValidationError):
        NAMES.validate_python(name)


@pytest.mark.parametrize("name", ["inbox/arxiv/2026.jsonl", "a b?.csv", "..a.jsonl", "é.csv"])
def test_any_other_name_is_taken(name):
    assert NAMES.validate_python(name) == name
