"""What a function gives back is refused where no message of the worker's could hold it."""

from datetime import UTC, datetime

import pytest

from local.host.worker import converters


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        ("queue", "\ud800", UnicodeEncodeError),
        ("http", "half \udfff", UnicodeEncodeError),
        ("table", {"PartitionKey": "p", "at": datetime(2026, 1, 1, tzinfo=UTC)}, TypeError),
        ("table", [{"values": {1, 2}}], TypeError),
        ("generic", 1 << 63, ValueError),
        ("generic", -(1 << 63) - 1, ValueError),
        ("table", object(), TypeError),
    ],
)
def test_what_no_message_holds_is_refused(kind, value, error):
    with pytest.raises(error):
        converters.encode(kind, value, None)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("queue", "é山"), ("http", "plain"), ("table", {"n": 1}), ("generic", (1 << 63) - 1), ("table", None)],
)
def test_the_rest_is_sent_as_it_is(kind, value):
    datum = converters.encode(kind, value, None)
    assert datum is not None
    assert datum.value == value


@pytest.mark.parametrize(("text", "streams"), [(" 0 ", False), ("No", False), ("", True), ("1", True), ("off", True)])
def test_streaming_is_switched_off_in_the_workers_words(monkeypatch, text, streams):
    monkeypatch.setenv(converters.INIT_INDEXING, text)

    class Base:
        class HttpV2FeatureChecker:
            @staticmethod
            def http_v2_enabled():
                return True

    monkeypatch.setitem(converters.sys.modules, "azurefunctions.extensions.base", Base)
    assert converters.streams() is streams
