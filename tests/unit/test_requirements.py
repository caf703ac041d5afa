"""The pinned packages fit every Python that Manifold supports, also where the tests do not run on it."""

from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.11.0", "3.12.0", "3.13.0")


def pins(name: str) -> list[Requirement]:
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def holds(pin: Requirement, python: str) -> bool:
    variables = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
    return pin.marker is None or pin.marker.evaluate(variables)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
@pytest.mark.parametrize("python", PYTHONS)
def test_each_package_is_pinned_once_for_each_python(name, python):
    names = [pin.name for pin in pins(name) if holds(pin, python)]
    assert len(names) == len(set(names)) > 50
    assert "azure-functions" in names


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-data.txt",
        "requirements-fitting.txt",
        "requirements-minilm.txt",
    ],
)
def test_defect_no_package_is_pinned_for_a_python_that_it_refuses(name):
    """uv installs such a package all the same; pip, with which Azure builds the app, does not."""
    refused: list[str] = []
    checked = 0
    for pin in pins(name):
        if pin.marker is not None and not pin.marker.evaluate():
            continue  # not installed here; the run on another Python looks at it
        installed = metadata.metadata(pin.name)
        assert pin.specifier.contains(installed["Version"], prereleases=True), f"{pin.name}: run `make setup`"
        takes = SpecifierSet(str(installed.json.get("requires_python", "")))
        refused += [f"{pin} on {python}" for python in PYTHONS if holds(pin, python) and python not in takes]
        checked += 1
    assert refused == []
    assert checked


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-fitting.txt"])
def test_the_app_in_azure_and_on_this_machine_have_the_same_versions(name):
    app = {pin.name: str(pin) for pin in pins(name)}
    here = {pin.name: str(pin) for pin in pins("requirements-dev.txt")}
    assert {name: here[name] for name in app} == app
