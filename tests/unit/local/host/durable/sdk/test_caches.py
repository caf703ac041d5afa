import importlib
from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from local.host.durable.model import dotnet
from local.host.durable.sdk.caches import cache_sdk

FIRST, LAST = datetime.fromisoformat("1970-01-01"), datetime.fromisoformat("9000-01-01")
TIMES = st.datetimes(min_value=FIRST, max_value=LAST, timezones=st.just(UTC))


@given(TIMES)
@example(datetime(2026, 11, 21, 7, 0, 0, 100_000, UTC))
def test_a_remembered_timestamp_is_the_one_the_sdk_parses(when: datetime) -> None:
    cache_sdk()
    from dateutil.parser import parse

    module = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")
    for text in (dotnet.timestamp(when), when.isoformat(), dotnet.round_trip(dotnet.timestamp(when))):
        assert repr(module.dt_parse(text)) == repr(parse(text)) == repr(module.dt_parse(text))
    assert module.dt_parse(dotnet.timestamp(when)).utcoffset() == timedelta(0)
