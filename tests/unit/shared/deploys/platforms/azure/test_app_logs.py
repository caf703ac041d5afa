"""What is new in the end of a log is what comes after the lines that are known."""

from shared.deploys.platforms.azure.app_logs import following
from shared.platform.redaction import Redactor


def text(first: int, last: int) -> str:
    return "".join(f"line {number}\n" for number in range(first, last))


def test_each_line_is_shown_once_though_the_log_is_given_from_its_end():
    none = Redactor(())
    first = following(text(0, 5), None, none, quiet=False)
    assert first.text == text(0, 5)
    second = following(text(0, 40), first.cursor, none, quiet=False)
    assert second.text == text(5, 40)
    third = following(text(10, 45), second.cursor, none, quiet=False)
    assert third.text == text(40, 45)
    assert following(text(10, 45), third.cursor, none, quiet=False) == third.model_copy(update={"text": ""})
    lost = following(text(300, 310), third.cursor, none, quiet=False)
    assert lost.text == text(300, 310)


def test_a_line_that_may_go_on_as_a_value_is_shown_with_the_next_or_once_it_is_quiet():
    redact = Redactor(["canary-value-4711"])
    first = following("one\ncanary-va\n", None, redact, quiet=False)
    assert first.text == "one\n"
    second = following("one\ncanary-va\nlue-4711\ntwo\n", first.cursor, redact, quiet=False)
    assert second.text == "***\n***\ntwo\n"
    assert following("one\ncanary-va\n", first.cursor, redact, quiet=True).text == "canary-va\n"
    assert following("", None, redact, quiet=False).text == ""
