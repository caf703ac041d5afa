"""A file of JSON lines: every cut gives the same records, and a bad line fails alone."""

import pytest

from shared.papers.reading.marks import LONGEST_RECORD
from tests.unit.shared.papers.reading.conftest import read


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[1]", "no object"),
        (b"{", "no JSON"),
        (b'{"a": "\xff"}', "no JSON in UTF-8"),
        (b'{"a": "\\ud800"}', "no JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", "no JSON"),
        (b'{"a": "' + b"x" * LONGEST_RECORD + b'"}', "more than"),
    ],
)
async def test_a_bad_line_fails_alone(line, reason):
    records = await read(b'\xef\xbb\xbf{"id": 1}\n' + line + b'\n\n{"id": 2}', size=1 << 16)
    assert [one.value for one in records if one and one.value] == [{"id": 1}, {"id": 2}]
    assert reason in next(one.reason for one in records if one and one.value is None)
    assert records.count(None) == 1
