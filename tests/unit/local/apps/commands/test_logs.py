"""What builds and apps wrote: in whole lines, without secrets, and never more than its bound."""

import base64

import pytest

from local.apps.commands import logs
from local.apps.commands.logs import LogFile, Part, read_end, read_log, read_on
from local.apps.commands.masking import Mask
from shared.platform.redaction import Redactor


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
    monkeypatch.setattr(logs, "END", 30)
    path = tmp_path / "a.log"
    log = LogFile(path, Mask([]), rotate=rotate)
    for number in range(30):
        log(f"line {number:03}")
    if rotate:
        [aside] = tmp_path.glob("a.log.*")
        assert "line 029" in path.read_text() + aside.read_text()
        assert path.stat().st_size < 200
    else:
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
        (
            [
                "TypeError: fetch failed",
                "  [cause]: Error: getaddrinfo ENOTFOUND nope.invalid",
                "      at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:122:26) {",
                "    errno: -3008,",
                "    code: 'ENOTFOUND',",
                "    syscall: 'getaddrinfo',",
                "    hostname: 'nope.invalid'",
                "  }",
                "}",
                "Node.js v22.1.0",
            ],
            "[cause]: Error: getaddrinfo ENOTFOUND nope.invalid",
        ),
        (
            [
                "Error: ENOENT: no such file or directory, open '/nope'",
                "    at Object.readFileSync (node:fs:441:20) {",
                "  errno: -2,",
                "  code: 'ENOENT',",
                "  syscall: 'open',",
                "  path: '/nope'",
                "}",
            ],
            "Error: ENOENT: no such file or directory, open '/nope'",
        ),
        (
            [
                "Error: listen EACCES: permission denied 127.0.0.1:80",
                "Emitted 'error' event on Server instance at:",
                "  code: 'EACCES',",
            ],
            "Error: listen EACCES: permission denied 127.0.0.1:80",
        ),
        (
            [
                "21:50:18 index.html fetch failed",
                "  Caused by:",
                "  getaddrinfo ENOTFOUND plus.unsplash.com",
                "    at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:122:26)",
            ],
            "getaddrinfo ENOTFOUND plus.unsplash.com",
        ),
        (
            [
                "  error: subprocess-exited-with-error",
                "      error: Multiple top-level packages discovered in a flat-layout: ['helpers', 'static'].",
                "  note: This error originates from a subprocess, and is likely not a problem with pip.",
                "error: metadata-generation-failed",
                "x Encountered error while generating package metadata.",
                "╰─> See above for output.",
            ],
            "error: Multiple top-level packages discovered in a flat-layout: ['helpers', 'static'].",
        ),
        (
            [
                "Resolving dependencies...",
                "All attempts to connect to pypi.org failed.",
                "    - the hostname cannot be resolved by your DNS",
                "You can also run your poetry command with -v to see more information.",
            ],
            "All attempts to connect to pypi.org failed.",
        ),
        (
            [
                "YN0028: The lockfile would have been modified by this install, which is explicitly forbidden.",
                "YN0000: Failed with errors in 0s 127ms",
                "npm notice",
            ],
            "YN0028: The lockfile would have been modified by this install, which is explicitly forbidden.",
        ),
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


def test_a_log_is_read_on_from_its_tail_and_what_stands_before_is_given(tmp_path):
    path = tmp_path / "app.log"
    assert read_on(path, None, 20) == Part("", 0)
    path.write_text("".join(f"line {number}\n" for number in range(50)))
    size = path.stat().st_size
    assert read_on(path, None, 20) == Part("line 48\nline 49\n", size, "e 47\n")
    assert read_on(path, None, 10_000).following == size
    assert read_on(path, size, 20) == Part("", size)
    assert read_on(path, size + 1_000, 20) == Part("", size)
    with path.open("a") as file:
        file.write("line 50\nline")
    assert read_on(path, size, 10) == Part("line 50\n", size + 8, "8\nline 49\n")


def test_defect_a_reader_of_all_that_an_app_wrote_is_stuck_once_the_file_is_put_aside(tmp_path, monkeypatch):
    """Each line is read once, however often that happens between two looks; of what is kept no longer, the rest is."""
    monkeypatch.setattr(logs, "BYTES", 60)
    path = tmp_path / "app.log"
    log = LogFile(path, Mask([]), rotate=True)
    seen, place = "", 0
    for number in range(200):
        log(f"line {number:03}")
        if number % 7 == 0:
            part = read_on(path, place, 20)
            assert part.before == seen[-len(part.before) :] or not part.before
            seen, place = seen + part.text, part.following
    seen += read_on(path, place, 20).text
    assert seen == "".join(f"line {number:03}\n" for number in range(200))
    assert len(list(tmp_path.iterdir())) == 2
    again = LogFile(path, Mask([]), rotate=True)
    again("after a restart")
    assert read_on(path, len(seen), 20).text == "after a restart\n"
    assert read_on(path, 5, 20).text.startswith("line 18")


@pytest.mark.parametrize("indent", ["", "    "])
@pytest.mark.parametrize("cut_after", range(90, 400, 19))
def test_defect_the_cut_of_a_full_build_log_goes_through_a_wrapped_value(tmp_path, monkeypatch, cut_after, indent):
    value = "".join(f"{number:02x}" for number in range(120))
    encoded = base64.b64encode(value.encode()).decode()
    wrapped = [encoded[at : at + 76] for at in range(0, len(encoded), 76)]
    monkeypatch.setattr(logs, "BYTES", cut_after)
    monkeypatch.setattr(logs, "END", cut_after)
    log = LogFile(tmp_path / "build.log", Mask([value]), rotate=False)
    for number in range(6):
        log(f"step {number}")
        for line in wrapped:
            log(indent + line)
    log("the end")
    log.close()
    written = (tmp_path / "build.log").read_text()
    assert "left out here" in written
    assert written.endswith("the end\n")
    shown = Redactor([value])(written)
    for line in wrapped:
        assert line not in shown
        assert line[-20:] not in shown


def test_what_goes_on_from_a_long_line_that_is_cut_is_hidden_with_it(tmp_path):
    value = "".join(f"{number:02x}" for number in range(120))
    encoded = base64.b64encode(value.encode()).decode()
    log = LogFile(tmp_path / "build.log", Mask([value]), rotate=False)
    log("x" * (logs.LINE - 10) + encoded[:76])
    for at in range(76, len(encoded), 76):
        log(encoded[at : at + 76])
    log("the end")
    assert (tmp_path / "build.log").read_text() == "***\n" * 5 + "the end\n"


def test_a_line_that_only_looks_as_if_a_value_began_hides_no_more_than_the_next(tmp_path):
    log = LogFile(tmp_path / "build.log", Mask(["hunter22-and-more"]), rotate=False)
    log("x" * logs.LINE + "hunte")
    log("one")
    log("two")
    assert (tmp_path / "build.log").read_text() == "***\n***\ntwo\n"
