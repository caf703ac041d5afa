import pytest

from local.host.core.errors import ConfigurationError
from local.host.settings.host_json import HostJson, read_host_json, resolve_section


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


def test_settings_in_a_section_are_replaced():
    section = {"hubName": "%HUB%", "deep": {"value": "x%HUB%"}, "number": 5}
    assert resolve_section(section, {"HUB": "Shop"}) == {"hubName": "Shop", "deep": {"value": "xShop"}, "number": 5}
    with pytest.raises(ConfigurationError, match="'%HUB%' does not resolve to a value"):
        resolve_section(section, {})


@pytest.mark.parametrize("divider", ["__", ":"])
def test_overrides_are_divided_by_underscores_or_colons(tmp_path, divider):
    key = divider.join(["azurefunctionsjobhost", "extensions", "http", "routePrefix"])
    found = read_host_json(tmp_path, {key: "v2", "AzureFunctionsJobHostextensions": "no override"})
    assert found.value("extensions.http.routePrefix") == "v2"


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe\x00", b"[]", b"nonsense"])
def test_a_broken_file_is_one_line(tmp_path, content):
    (tmp_path / "host.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"Unable to parse host config.* file '.*host\.json'\. .+") as said:
        read_host_json(tmp_path, {})
    assert "\n" not in str(said.value)


def test_a_folder_in_its_place_is_one_line(tmp_path):
    (tmp_path / "host.json").mkdir()
    with pytest.raises(ConfigurationError, match=r"host\.json'\. .*Is a directory"):
        read_host_json(tmp_path, {})
