import json
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.core.newtonsoft import date_text, read_text, round_trip
from local.host.settings.host_json import read_host_json


def test_comments_and_trailing_commas(tmp_path):
    (tmp_path / "host.json").write_text(
        '\ufeff{\n // a comment\n "version": "2.0", /* another */\n "url": "http://x//y", "list": [1, 2,],\n}'
    )
    assert read_host_json(tmp_path, {}).document == {"version": "2.0", "url": "http://x//y", "list": [1, 2]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_plain_json_is_read_as_it_is(tmp_path_factory, value):
    folder = tmp_path_factory.mktemp("app")
    (folder / "host.json").write_text(json.dumps({"version": "2.0", "value": value}, ensure_ascii=False))
    assert read_host_json(folder, {}).document["value"] == value


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-05-01T10:00:00", "2026-05-01T10:00:00"),
        ("2026-05-01T10:00:00.000Z", "2026-05-01T10:00:00Z"),
        ("2026-05-01T10:00:00.120000", "2026-05-01T10:00:00.12"),
        ("2026-05-01T10:00:00.123456789z", "2026-05-01T10:00:00.1234567Z"),
        ("2026-05-01T10:00:00+02:00", "2026-05-01T13:00:00+05:00"),
        ("2026-05-01T10:00:00.50-0330", "2026-05-01T18:30:00.5+05:00"),
        ("2026-05-01", "2026-05-01"),
        ("2026-13-01T10:00:00Z", "2026-13-01T10:00:00Z"),
        ("at 2026-05-01T10:00:00.000Z", "at 2026-05-01T10:00:00.000Z"),
    ],
)
def test_what_looks_like_a_date_in_a_json_text_is_written_anew(text, read, monkeypatch):
    monkeypatch.setenv("TZ", "UTC-5")
    time.tzset()
    try:
        assert read_text(json.dumps({"a": [text], text: 1})) == {"a": [read], text: 1}
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("moment", "in_json", "round_tripped"),
    [
        (datetime(2026, 5, 1, 2, tzinfo=UTC), "2026-05-01T02:00:00+00:00", "2026-05-01T02:00:00.0000000+00:00"),
        (
            datetime(2026, 5, 1, 2, 0, 10, 500, tzinfo=timezone(timedelta(hours=-3.5))),
            "2026-05-01T02:00:10.0005-03:30",
            "2026-05-01T02:00:10.0005000-03:30",
        ),
    ],
)
def test_times_are_written_as_dotnet_does(moment, in_json, round_tripped):
    assert date_text(moment) == in_json
    assert round_trip(moment) == round_tripped
