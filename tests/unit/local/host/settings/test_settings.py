import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.core.errors import ConfigurationError
from local.host.core.functions import RetryPolicy
from local.host.settings.connections import find_connection
from local.host.settings.host_json import HostJson, read_host_json, resolve_section
from local.host.settings.local_settings import disabled, read_local_settings
from local.host.settings.values import parse_retry, parse_timespan


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:10:00", 600),
        ("10:00", 36000),
        ("1.00:00:00", 86400),
        ("00:00:00.5", 0.5),
        ("23:59:59", 86399),
        ("2", 172800),
        ("00:00:01.0000001", 1.0000001),
        ("24:00:00", 24 * 86400),
        ("25:10:30", 25 * 86400 + 10 * 3600 + 30 * 60),
        ("25:30:00", None),
        ("100:00:00", 100 * 86400),
        ("25:00", None),
        ("25:00:00.5", None),
        ("00:60:00", None),
        ("00:00:60", None),
        ("soon", None),
        ("", None),
    ],
)
def test_timespans(text, seconds):
    assert parse_timespan(text) == seconds


def test_hours_that_are_days_for_dotnet_are_told_of(told):
    parse_timespan("26:05:00")
    assert "'26:05:00' is 26 days, 05 hours and 00 minutes, as .NET reads it" in told.text
    assert "write 1.02:05:00." in told.text


@given(st.integers(0, 300), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_timespans_add_up(days, hours, minutes, seconds):
    text = f"{days}.{hours:02}:{minutes:02}:{seconds:02}"
    assert parse_timespan(text) == ((days * 24 + hours) * 60 + minutes) * 60 + seconds


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


def test_a_missing_or_empty_host_json_means_the_defaults(tmp_path):
    assert read_host_json(tmp_path, {}).function_timeout() == 1800
    (tmp_path / "host.json").write_text("")
    assert read_host_json(tmp_path, {}).document == {"version": "2.0"}


def test_the_environment_overrides_host_json(tmp_path):
    (tmp_path / "host.json").write_text('{"version": "2.0", "extensions": {"queues": {"batchSize": 4}}}')
    environment = {"AzureFunctionsJobHost__extensions__Queues__batchSize": "8", "AzureFunctionsJobHost__new__one": "x"}
    host_json = read_host_json(tmp_path, environment)
    assert host_json.number("extensions.queues.batchSize", 16, minimum=1, maximum=32) == 8
    assert host_json.value("new.one") == "x"


@pytest.mark.parametrize(("value", "limit"), [(0, "from 1 to 32"), (33, "from 1 to 32"), ("many", "from 1 to 32")])
def test_a_number_out_of_range_names_the_setting(value, limit):
    with pytest.raises(ConfigurationError, match=f"host.json: a.b must be a whole number {limit}"):
        HostJson({"a": {"b": value}}).number("a.b", 16, minimum=1, maximum=32)


@pytest.mark.parametrize(("value", "seconds"), [("-1", None), ("00:05:00", 300.0), ("1.00:00:00", 86400.0)])
def test_function_timeout(value, seconds):
    assert HostJson({"functionTimeout": value}).function_timeout() == seconds


@pytest.mark.parametrize("value", ["00:00:00", "forever", "00:00:00.5"])
def test_a_function_timeout_under_a_second_is_refused(value):
    with pytest.raises(ConfigurationError, match=r"FunctionTimeout must be greater than 00:00:01"):
        HostJson({"functionTimeout": value}).function_timeout()


def test_local_settings(tmp_path):
    document = {
        "IsEncrypted": False,
        "Values": {"A": "1", "B": "2", "NUMBER": 5, "FLAG": True, "NOTHING": None},
        "ConnectionStrings": {"Sql": {"ConnectionString": "Server=x", "ProviderName": "p"}, "Plain": "y"},
        "Host": {"LocalHttpPort": 7090},
    }
    (tmp_path / "local.settings.json").write_text(json.dumps(document))
    settings = read_local_settings(tmp_path, {"B": "outside"})
    assert settings.applied == {
        "A": "1",
        "NUMBER": "5",
        "FLAG": "true",
        "NOTHING": "",
        "ConnectionStrings:Sql": "Server=x",
        "ConnectionStrings:Plain": "y",
    }
    assert settings.skipped == ("B",)
    assert settings.host == {"LocalHttpPort": 7090}


def test_no_local_settings_are_no_error(tmp_path):
    assert read_local_settings(tmp_path, {}).applied == {}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("AzureWebJobs.tidy.Disabled", "true", True),
        ("AzureWebJobs_Tidy_Disabled", "1", True),
        ("AzureWebJobs.tidy.Disabled", "false", False),
        ("AzureWebJobs.other.Disabled", "true", False),
    ],
)
def test_disabled(name, value, expected):
    assert disabled("tidy", {name: value}) is expected


def test_retry_policies():
    fixed = {"strategy": "fixed_delay", "max_retry_count": "3", "delay_interval": "00:00:05"}
    assert parse_retry(fixed) == RetryPolicy(3, fixed_delay=5)
    exponential = {
        "strategy": "exponential_backoff",
        "max_retry_count": -1,
        "minimum_interval": "00:00:01",
        "maximum_interval": "00:01:00",
    }
    assert parse_retry(exponential) == RetryPolicy(-1, minimum_delay=1, maximum_delay=60)
    in_host_json = {"strategy": "fixedDelay", "maxretrycount": 3, "delayinterval": "00:00:05"}
    assert parse_retry(in_host_json) == RetryPolicy(3, fixed_delay=5)
    for wrong in (
        {"max_retry_count": "few"},
        {**fixed, "delay_interval": "a while"},
        {**fixed, "strategy": "fixedDelay"},
    ):
        with pytest.raises(ConfigurationError, match="Retry policy: "):
            parse_retry(wrong)


def test_settings_in_a_section_are_replaced():
    section = {"hubName": "%HUB%", "deep": {"value": "x%HUB%"}, "number": 5}
    assert resolve_section(section, {"HUB": "Shop"}) == {"hubName": "Shop", "deep": {"value": "xShop"}, "number": 5}
    with pytest.raises(ConfigurationError, match="'%HUB%' does not resolve to a value"):
        resolve_section(section, {})


@pytest.mark.parametrize(
    "environment",
    [
        {"Storage": "x"},
        {"AzureWebJobsStorage": "x", "Storage": "y"},
        {"ConnectionStrings:Storage": "x", "Storage": "y"},
        {"ConnectionStrings__AzureWebJobsStorage": "x"},
    ],
)
def test_a_connection_string_is_found(environment):
    assert find_connection("Storage", environment).connection_string == "x"


def test_no_name_means_the_hosts_own_storage():
    assert find_connection("", {"AzureWebJobsStorage": "x"}).connection_string == "x"


def test_development_storage_is_written_out_for_the_sdks():
    text = find_connection("S", {"S": "UseDevelopmentStorage=true;"}).connection_string
    assert text is not None
    assert "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1" in text


def test_an_identity_based_connection():
    found = find_connection("Bus", {"Bus__fullyQualifiedNamespace": "x.servicebus.windows.net", "Bus__clientId": "c"})
    assert found.connection_string is None
    assert found.need("fullyQualifiedNamespace") == "x.servicebus.windows.net"
    with pytest.raises(ConfigurationError, match="has none of the settings Bus__queueServiceUri"):
        found.need("queueServiceUri")


def test_a_missing_connection_is_named_with_the_remedy():
    with pytest.raises(ConfigurationError, match=r"The connection setting 'Bus' is missing[.] Set it under Values"):
        find_connection("Bus", {"AzureWebJobsBus": ""})
