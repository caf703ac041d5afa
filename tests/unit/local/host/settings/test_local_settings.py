import json

import pytest

from local.host.core.errors import ConfigurationError
from local.host.settings.local_settings import disabled, read_local_settings


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


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe\x00", b"[]", b"nonsense"])
def test_a_broken_file_is_one_line(tmp_path, content):
    (tmp_path / "local.settings.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"Unable to parse local settings file '.*json'\. .+") as said:
        read_local_settings(tmp_path, {})
    assert "\n" not in str(said.value)


def test_a_folder_in_its_place_is_one_line(tmp_path):
    (tmp_path / "local.settings.json").mkdir()
    with pytest.raises(ConfigurationError, match=r"local\.settings\.json'\. .*Is a directory"):
        read_local_settings(tmp_path, {})
