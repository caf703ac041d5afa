"""Which browser the tests of pages take."""

import os

import pytest

from local import browser


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine without a browser: the folder where one may be unpacked, and the one where one may be installed."""
    unpacked, installed = tmp_path / "unpacked", tmp_path / "installed"
    unpacked.mkdir()
    installed.mkdir()
    monkeypatch.setattr(browser, "FOLDER", unpacked)
    monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path / "nothing"), str(installed))))
    return unpacked, installed


def put(folder, name):
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)
    return folder / name


def test_the_unpacked_one_comes_first(machine):
    unpacked, installed = machine
    put(installed, "chromium")
    assert put(unpacked, "chromium") == browser.program()


@pytest.mark.parametrize("name", browser.INSTALLED)
def test_else_one_that_is_installed(machine, name):
    assert put(machine[1], name) == browser.program()


def test_without_any_the_remedy_is_named(machine):
    with pytest.raises(FileNotFoundError, match=r"run `make setup`, or install chromium\.$"):
        browser.program()
