"""A group as it stands in its blob: written and read back, or refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from shared.authcache.log.groups import group_of, log_name, new_group
from shared.authcache.log.shares import ShareRevoked
from shared.authcache.log.users import UserChanged, UserDeleted
from shared.platform.errors import TerminalError
from tests.unit.shared.authcache.rows import AT

RECORDS = (
    UserChanged(at=AT, user="ann", last_name='L"i\x00', tax_rate=Decimal("12.50")),
    UserChanged(at=AT, user="bob", tax_rate=None),
    ShareRevoked(at=AT, id="s1"),
)


def test_a_group_is_read_as_it_was_written_with_which_fields_each_record_names() -> None:
    group = new_group("0a1b2c3d", RECORDS)
    read = group_of(group.data)
    assert (read.id, read.writer, read.data) == (group.id, "0a1b2c3d", group.data)
    assert list(read.records) == list(RECORDS)
    assert [record.model_fields_set for record in read.records] == [record.model_fields_set for record in RECORDS]


def test_two_groups_of_the_same_records_are_told_apart() -> None:
    assert new_group("0a1b2c3d", RECORDS).id != new_group("0a1b2c3d", RECORDS).id


def test_names_of_groups_sort_as_their_places() -> None:
    places = [1, 9, 10, 99, 100, 123_456_789]
    assert sorted(map(log_name, reversed(places))) == [log_name(place) for place in places]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"id": "x"}',
        b'{"id": "x", "records": [{"kind": "of-a-later-version", "at": "2026-01-01T00:00:00Z"}]}',
        b'{"id": "x", "records": [{"kind": "user-deleted"}]}',
    ],
)
def test_what_this_version_cannot_read_is_refused_with_what_to_do(data: bytes) -> None:
    with pytest.raises(TerminalError) as refused:
        group_of(data)
    assert refused.value.code == "log-unreadable"
    assert refused.value.remedy == "Deploy the version that wrote it, or a newer one."


def test_fields_that_a_later_version_added_are_passed_over() -> None:
    record = {"kind": "user-deleted", "at": AT.isoformat(), "user": "ann", "later": 1}
    data = json.dumps({"id": "w-1", "records": [record], "later": 2}).encode()
    assert list(group_of(data).records) == [UserDeleted(at=AT, user="ann")]
