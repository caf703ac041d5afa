"""What is new in the ends of the replicas' logs is what comes after the lines that are known."""

import base64

from shared.deploys.platforms.azure.app_logs import following
from shared.platform.redaction import Redactor

NONE = Redactor(())


def text(first: int, last: int) -> str:
    return "".join(f"line {number}\n" for number in range(first, last))


def test_each_line_is_shown_once_though_the_log_is_given_from_its_end():
    first = following({"app-1": text(0, 5)}, None, NONE)
    assert first.text == text(0, 5)
    second = following({"app-1": text(0, 40)}, first.cursor, NONE)
    assert second.text == text(5, 40)
    third = following({"app-1": text(10, 45)}, second.cursor, NONE)
    assert third.text == text(40, 45)
    assert following({"app-1": text(10, 45)}, third.cursor, NONE) == third.model_copy(update={"text": ""})
    lost = following({"app-1": text(300, 310)}, third.cursor, NONE)
    assert lost.text == text(300, 310)


def test_each_replica_is_followed_from_its_own_place_and_its_lines_bear_its_name():
    first = following({"app-x1": text(0, 3), "app-y2": text(0, 30)}, None, NONE)
    assert first.text.splitlines()[:4] == ["x1 line 0", "x1 line 1", "x1 line 2", "y2 line 0"]
    second = following({"app-x1": text(0, 4), "app-y2": text(0, 30), "app-z3": "new\n"}, first.cursor, NONE)
    assert second.text == "x1 line 3\nz3 new\n"
    alone = following({"app-y2": text(0, 31)}, second.cursor, NONE)
    assert alone.text == "line 30\n"
    assert following({}, alone.cursor, NONE).cursor == "0"


def test_a_line_that_may_go_on_as_a_value_waits_for_the_next():
    redact = Redactor(["canary-value-4711"])
    first = following({"app-1": "one\ncanary-va\n"}, None, redact)
    assert first.text == "one\n"
    assert following({"app-1": "one\ncanary-va\n"}, first.cursor, redact).text == ""
    second = following({"app-1": "one\ncanary-va\nlue-4711\ntwo\n"}, first.cursor, redact)
    assert second.text == "***\n***\ntwo\n"
    assert following({}, None, redact).text == ""


def test_defect_of_a_value_that_began_before_the_last_lines_its_rest_is_shown():
    wrapped = base64.encodebytes(bytes(range(200))).decode().splitlines()
    redact = Redactor([base64.b64encode(bytes(range(200))).decode()])
    shown = following({"app-1": "\n".join([*wrapped[2:], "listening", ""])}, None, redact).text
    assert shown.splitlines() == [*["***"] * len(wrapped[2:]), "listening"]
