"""What a search may ask for, and how it is read."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from shared.diamonds.offer.search.query import Export, Search


def test_grades_and_shapes_are_read_in_whatever_case_and_with_blanks_around() -> None:
    search = Search.model_validate({"shape": " round,Pear ", "color": " d", "certificate_number": "ab1 "})
    assert (search.shape, search.color, search.certificate_number) == ("ROUND,PEAR", "D", "AB1")


@pytest.mark.parametrize("name", ["carat", "price", "retail"])
def test_a_range_may_be_one_value_and_not_run_backwards(name: str) -> None:
    one = Search.model_validate({f"{name}_min": "1.5", f"{name}_max": "1.5"})
    assert getattr(one, f"{name}_min") == getattr(one, f"{name}_max") == Decimal("1.5")
    with pytest.raises(ValidationError, match=f"under {name}_min"):
        Search.model_validate({f"{name}_min": "1.5", f"{name}_max": "1.49"})


@pytest.mark.parametrize("shape", ["", ",", "ROUND,", ",".join(["OVAL"] * 21), "x" * 51])
def test_of_shapes_there_are_one_to_twenty_with_a_name_each(shape: str) -> None:
    with pytest.raises(ValidationError):
        Search.model_validate({"shape": shape})


def test_an_export_takes_more_at_once_and_no_page_but_the_first() -> None:
    assert (Export().limit, Export(limit=20_000).limit, Search().limit) == (10_000, 20_000, 50)
    for unusable in ({"limit": 20_001}, {"page": 2}):
        with pytest.raises(ValidationError):
            Export.model_validate(unusable)
