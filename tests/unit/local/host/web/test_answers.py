import json
from pathlib import Path

import azure.functions as func
import pytest
from azure.functions import meta
from hypothesis import given
from hypothesis import strategies as st

from local.host.core.functions import Binding, Function
from local.host.web.answers import answer_of
from local.host.worker import converters
from local.host.worker.messages import body_datum, output_messages
from tests.present import present, untyped


def respond(response):
    return answer_of(converters.encode("http", response, None))


def test_a_response_keeps_its_bytes_and_gets_a_type():
    answer = respond(func.HttpResponse("ä", status_code=201, headers={"X-A": "1"}))
    assert (answer.status, answer.body) == (201, "ä".encode())
    assert dict(answer.headers) == {"x-a": "1", "content-type": "text/plain; charset=utf-8"}
    assert dict(respond(func.HttpResponse(b"x", mimetype="image/png")).headers) == {"content-type": "image/png"}


def test_of_repeated_headers_the_last_wins_and_transfer_encoding_goes():
    response = func.HttpResponse("x")
    response.headers.add("X-A", "1")
    response.headers.add("x-a", "2")
    response.headers.add("Transfer-Encoding", "chunked")
    assert dict(respond(response).headers) == {"x-a": "2", "content-type": "text/plain; charset=utf-8"}


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("plain", "plain"),
        ("5", "5"),
        ("1.0", "1"),
        ("1.5", "1.5"),
        ('"quoted"', "quoted"),
        ("false", "False"),
        ("[]", "[]"),
        ("{}", "{}"),
    ],
)
def test_text_answers(text, body):
    assert answer_of(meta.Datum(text, "string")).body == body.encode()


@pytest.mark.parametrize(
    ("members", "status", "body"),
    [
        ('"body": {"a": [1, {"b": null}]}, "statusCode": 201', 201, '{"a":[1,{"b":null}]}'),
        ('"body": [1, 2]', 200, "System.Collections.Generic.List`1[System.Object]"),
        ('"BODY": null, "Status": " 202 "', 202, ""),
        ('"body": true, "status": "teapot"', 200, "True"),
        ('"body": "x", "statusCode": 201.5, "status": 418', 200, "x"),
        ('"body": "x", "headers": ["no headers"]', 200, "x"),
    ],
)
def test_a_str_that_is_a_response_object(members, status, body):
    answer = answer_of(meta.Datum(f"{{{members}}}", "string"))
    assert (answer.status, answer.body.decode()) == (status, body)


def test_a_header_of_a_response_object_that_is_null_is_named():
    with pytest.raises(ValueError, match="the header 'x-a' is null"):
        answer_of(meta.Datum('{"body": "x", "headers": {"x-a": null}}', "string"))


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_body_of_an_answer_that_has_none_is_dropped_and_told_of(status):
    answer = respond(func.HttpResponse("x", status_code=status))
    assert (answer.status, answer.body) == (status, b"")
    assert "which has none" in answer.warning
    assert respond(func.HttpResponse(status_code=status)).warning == ""


def test_a_status_that_is_no_whole_number_is_200_and_told_of():
    answer = respond(func.HttpResponse("x", status_code=untyped(201.0)))
    assert answer.status == 200
    assert "gave the status '201.0'" in answer.warning


@given(st.text())
def test_every_text_has_an_answer_and_a_changed_one_has_a_warning(text):
    answer = answer_of(meta.Datum(text, "string"))
    assert bool(answer.warning) == (answer.body != text.encode()) or "body" in text


@given(st.binary())
def test_binary_responses_come_through_untouched(data):
    assert respond(func.HttpResponse(data, mimetype="application/octet-stream")).body == data


def function(**fields):
    trigger = Binding("msg", "queueTrigger", "in", fields)
    return Function("f", print, Path(), "", trigger, (trigger,), {}, {}, None, False, False)


OUTPUT = Binding("out", "queue", "out", {})


@pytest.mark.parametrize(
    ("value", "kind", "messages"),
    [
        ("text", "string", ["text"]),
        ("7", "string", ["7"]),
        ('["a",1,{"b":2}]', "string", ["a", "1", '{\n  "b": 2\n}']),
        ('{"a":1}', "string", ['{\n  "a": 1\n}']),
        ("{broken", "string", ["{broken"]),
        ('{"at":"2026-05-01T10:00:00.500Z"}', "string", ['{\n  "at": "2026-05-01T10:00:00.5Z"\n}']),
        ('{"at":"2026-05-01T10:00:00.500Z"}', "json", ['{\n  "at": "2026-05-01T10:00:00.500Z"\n}']),
        (b'["a"]', "bytes", [b'["a"]']),
        ('["a", {"id": "1", "body": "x"}]', "json", ["a", '{\n  "id": "1",\n  "body": "x"\n}']),
    ],
)
def test_messages_of_an_output(value, kind, messages):
    assert output_messages(function(), OUTPUT, meta.Datum(value, kind)) == messages


@given(st.lists(st.text(min_size=1)))
def test_a_list_of_texts_is_one_message_each(texts):
    datum = converters.encode("queue", texts, None)
    assert output_messages(function(), OUTPUT, present(datum)) == texts


@given(st.text())
def test_bodies_that_are_text_are_text(text):
    assert body_datum(function(), function().trigger, text.encode()) == meta.Datum(text, "string")


@pytest.mark.parametrize("cookie", ["a=b c", 'a={"x":1}', "a b"])
def test_a_cookie_that_vanishes_is_told_of(cookie):
    response = func.HttpResponse("x")
    response.headers.add("Set-Cookie", cookie)
    answer = respond(response)
    assert "set-cookie" not in dict(answer.headers)
    assert "drops it in silence" in answer.warning
    assert "Percent-encode" in answer.warning


def test_a_length_that_is_not_the_bodys_is_told_of():
    assert "Leave the header out" in respond(func.HttpResponse("x", headers={"Content-Length": "5"})).warning
    assert respond(func.HttpResponse("x", headers={"Content-Length": "1"})).warning == ""
    assert respond(func.HttpResponse(headers={"Content-Length": "5"})).warning == ""


def test_bodies_that_are_not_text_are_mangled_loudly_or_binary(host_logs):
    assert body_datum(function(), function().trigger, b"a\xff").value == "a\ufffd"
    assert "Set data_type=func.DataType.BINARY" in host_logs.text
    binary = function(dataType="binary")
    assert body_datum(binary, binary.trigger, b"a\xff") == meta.Datum(b"a\xff", "bytes")


def test_a_queue_message_as_output_is_json():
    datum = converters.encode("queue", func.QueueMessage(id="1", body="x"), None)
    (text,) = output_messages(function(), OUTPUT, present(datum))
    assert json.loads(text) == {"id": "1", "body": "x"}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("x-name", "caf\u00e9", "0x00E9"),
        ("x-name", "a\nb", "0x000A"),
        ("x name", "a", "0x0020"),
        ("n\u00e4me", "a", "0x00E4"),
    ],
)
def test_a_header_that_kestrel_refuses_is_an_error_that_says_so(name, value, shown):
    response = meta.Datum(
        {
            "status_code": meta.Datum("200", "string"),
            "headers": {name: meta.Datum(value, "string")},
            "cookies": None,
            "body": meta.Datum(b"", "bytes"),
        },
        "http",
    )
    with pytest.raises(ValueError, match=f"no header may have .{shown}."):
        answer_of(response)
