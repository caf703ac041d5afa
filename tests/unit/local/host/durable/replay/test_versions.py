import pytest

from local.host.durable.replay import versions


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        (None, None, 0),
        (None, "1.0", -1),
        ("1.0", None, 1),
        ("1.9", "1.10", -1),
        ("2.0", "2.0.0", -1),
        ("v2", "V1", 1),
        ("2", "10", 1),
    ],
)
def test_versions_compare_as_in_dotnet(one: str | None, other: str | None, order: int) -> None:
    assert versions.compare(one, other) == order


def test_an_app_without_a_version_runs_everything() -> None:
    assert versions.mismatch("9.9", None, "Strict") is None
