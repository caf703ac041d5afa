"""What builds and apps wrote: in whole lines, without secrets, and never more than its bound."""

import pytest

from local.apps.commands import logs
from local.apps.commands.logs import LogFile, read_end, read_log, read_on
from local.apps.commands.masking import Mask


def test_reading_goes_on_at_whole_lines(tmp_path):
    path = tmp_path / "build.log"
    assert read_log(path, 0) == ("", 0)
    log = LogFile(path, Mask([]), rotate=False)
    log("one")
    text, following = read_log(path, 0)
    assert text == "one\n"
    with path.open("ab") as file:
        file.write(b"tw")
    assert read_log(path, following) == ("", following)
    with path.open("ab") as file:
        file.write(b"o\n")
    assert read_log(path, following)[0] == "two\n"


def test_the_end_is_read_in_whole_lines(tmp_path):
    path = tmp_path / "app.log"
    assert read_end(path, 20) == ""
    path.write_text("".join(f"line {number}\n" for number in range(50)))
    assert read_end(path, 20) == "line 48\nline 49\n"
    assert read_end(path, 10_000).startswith("line 0\n")


def test_values_are_hidden_before_a_long_line_is_cut(tmp_path):
    log = LogFile(tmp_path / "a.log", Mask(["hunter22"]), rotate=False)
    log("x" * (logs.LINE - 4) + "hunter22")
    assert "hunt" not in (tmp_path / "a.log").read_text()


@pytest.mark.parametrize("rotate", [True, False])
def test_a_full_log_is_put_aside_or_cut(tmp_path, monkeypatch, rotate):
    monkeypatch.setattr(logs, "BYTES", 100)
    path = tmp_path / "a.log"
    log = LogFile(path, Mask([]), rotate=rotate)
    for number in range(30):
        log(f"line {number:03}")
    if rotate:
        assert "line 029" in path.read_text() + path.with_suffix(".log.1").read_text()
        assert path.stat().st_size < 200
    else:
        monkeypatch.setattr(logs, "END", 30)
        for number in range(30, 60):
            log(f"line {number:03}")
        log.close()
        assert path.read_text().endswith("lines are left out here.\nline 057\nline 058\nline 059\n")
    assert log.last == ("line 029" if rotate else "line 059")


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (
            [
                "npm error code E404",
                "npm error 404 Not Found - left-padd",
                "npm error A complete log of this run can be found in: /x",
            ],
            "npm error 404 Not Found - left-padd",
        ),
        (
            ["Traceback:", "ModuleNotFoundError: No module named 'flask'"],
            "ModuleNotFoundError: No module named 'flask'",
        ),
        (
            ["Error: Cannot find module 'express'", "    at x (y.js:1)", "}", "Node.js v22.1.0"],
            "Error: Cannot find module 'express'",
        ),
        (
            ["ERROR: No matching distribution found for flaskk", "[notice] A new release of pip"],
            "ERROR: No matching distribution found for flaskk",
        ),
        (
            [
                "npm error code EUSAGE",
                "npm error",
                "npm error `npm ci` can only install packages when your lock file is in sync.",
                "npm error",
                "npm error Missing: ms@2.1.3 from lock file",
                'npm error Run "npm help ci" for more info',
            ],
            "npm error `npm ci` can only install packages when your lock file is in sync.",
        ),
        (
            ["TypeError: cannot build this", "npm error code 1", "npm error path /x", "npm error command failed"],
            "TypeError: cannot build this",
        ),
        (
            [
                "KeyError: 'PGDATABASE'",
                "[ERROR] Worker (pid:7) exited with code 3",
                "[ERROR] Reason: Worker failed to boot.",
            ],
            "KeyError: 'PGDATABASE'",
        ),
        (["building", "no good"], "no good"),
    ],
)
def test_the_line_that_says_why_a_command_failed_is_found(tmp_path, lines, cause):
    log = LogFile(tmp_path / "a.log", Mask([]), rotate=False)
    for line in lines:
        log(line)
    assert log.cause == cause


def test_what_failed_in_a_command_before_is_no_cause(tmp_path):
    log = LogFile(tmp_path / "a.log", Mask([]), rotate=False)
    log("ValueError: handled")
    log.begin("$ make")
    log("no rule to make it")
    assert log.cause == "no rule to make it"


def test_a_log_is_read_on_from_its_tail_and_over_the_putting_aside_of_its_file(tmp_path, monkeypatch):
    path = tmp_path / "app.log"
    assert read_on(path, None, 20) == ("", 0, False)
    path.write_text("".join(f"line {number}\n" for number in range(50)))
    size = path.stat().st_size
    assert read_on(path, None, 20) == ("line 48\nline 49\n", size, False)
    assert read_on(path, None, 10_000)[1:] == (size, False)
    assert read_on(path, size, 20) == ("", size, False)
    with path.open("a") as file:
        file.write("line 50\nline")
    assert read_on(path, size, 20) == ("line 50\n", size + 8, False)
    path.replace(tmp_path / "app.log.1")
    path.write_text("new\n")
    assert read_on(path, size, 20) == ("line 50\n", 0, True)
    assert read_on(path, 0, 20) == ("new\n", 4, False)
