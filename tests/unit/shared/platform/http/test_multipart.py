"""Forms with a file, as a browser's own library writes them."""

import httpx
import pytest

from shared.platform.errors import InvalidInput
from shared.platform.http.multipart import read_form


def sent(fields, files):
    request = httpx.Request("POST", "https://app.example/", data=fields, files=files)
    return request.read(), request.headers["content-type"]


def test_a_form_gives_its_fields_and_its_file_whole():
    data = bytes(range(256)) * 5000
    form = read_form(
        *sent({"document_type": "receipt", "ä": "ö"}, {"file": ("Miete für März.pdf", data, "application/pdf")})
    )
    assert form.fields == {"document_type": "receipt", "ä": "ö"}
    assert (form.file_name, form.content_type, form.data) == ("Miete für März.pdf", "application/pdf", data)


@pytest.mark.parametrize(
    ("fields", "files"),
    [
        ({}, {"other": ("a", b"x", "text/plain")}),
        ({}, [("file", ("a", b"x", "text/plain")), ("file", ("b", b"y", "text/plain"))]),
        ({f"f{number}": "x" for number in range(30)}, {"file": ("a", b"x", "text/plain")}),
        ({"a": "x" * 20_000}, {"file": ("a", b"x", "text/plain")}),
    ],
)
def test_other_forms_are_refused(fields, files):
    with pytest.raises(InvalidInput, match="no usable form"):
        read_form(*sent(fields, files))


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=y"]
)
def test_what_is_no_form_is_refused(content_type):
    with pytest.raises(InvalidInput, match="no usable form"):
        read_form(b"--x\r\nnonsense", content_type)


def test_a_form_that_is_cut_is_refused():
    body, content_type = sent({}, {"file": ("a", b"x" * 100, "text/plain")})
    with pytest.raises(InvalidInput, match="no usable form"):
        read_form(body[:-60], content_type)
