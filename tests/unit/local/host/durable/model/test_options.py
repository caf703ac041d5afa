"""host.json's extensions.durableTask."""

import pytest

from local.host.durable.model.options import DurableOptions, OptionsInvalid


def test_names_and_choices_are_read_in_any_case() -> None:
    options = DurableOptions.parse(
        {"HUBNAME": "Shop", "versionMatchStrategy": "strict", "versionfailurestrategy": "FAIL"}
    )
    assert (options.hub_name, options.version_match_strategy, options.version_failure_strategy) == (
        "Shop",
        "Strict",
        "Fail",
    )


def test_settings_that_mean_nothing_here_are_accepted() -> None:
    section = {"storageProvider": {"type": "mssql"}, "tracing": {"traceInputsAndOutputs": True}}
    assert DurableOptions.parse(section) == DurableOptions()


@pytest.mark.parametrize(
    ("section", "path"),
    [
        ({"hubName": "1hub"}, "hubName"),
        ({"hubName": "a" * 46}, "hubName"),
        ({"maxConcurrentActivityFunctions": 0}, "maxConcurrentActivityFunctions"),
        ({"versionMatchStrategy": "Newest"}, "versionMatchStrategy"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(section: dict[str, object], path: str) -> None:
    with pytest.raises(OptionsInvalid, match=rf"extensions\.durableTask\.{path}: .* \(got "):
        DurableOptions.parse(section)


def test_a_hub_that_azure_refuses_is_refused_with_the_remedy() -> None:
    with pytest.raises(
        OptionsInvalid, match="hubName: a task hub's name is 3 to 45 letters and digits, a letter first"
    ):
        DurableOptions.parse({"hubName": "My_Hub-1"})
    assert DurableOptions.parse({"hubName": "a" * 45}).hub_name == "a" * 45
