"""What a file is, its bytes say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.authcache.documents.content import EXTENSIONS, HEAD_BYTES, kind_of

REAL = {
    "application/pdf": b"%PDF-1.7\n",
    "image/png": b"\x89PNG\r\n\x1a\n\0\0",
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "image/gif": b"GIF89a\x01\0",
    "image/webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "image/tiff": b"II*\0\x08\0",
    "image/heic": b"\0\0\0\x18ftypheic",
    "text/csv": b"a;b\r\n1;\xc3\xa9\n",
    "text/plain": b"Rent is due on the 1st.\n",
}


@pytest.mark.parametrize("kind", list(REAL))
def test_a_file_is_taken_for_what_it_is_alone(kind):
    assert kind_of(REAL[kind], kind) == kind
    text = {"text/csv", "text/plain"}
    for other in REAL.keys() - {kind} - (text if kind in text else set()):
        assert kind_of(REAL[kind], other) is None
    assert kind_of(REAL[kind], "") == ("text/plain" if kind in text else kind)
    assert kind_of(REAL[kind], f"{kind.upper()}; charset=utf-8") == kind


@pytest.mark.parametrize(
    "head",
    [b"", b"MZ\x90\0", b"\x7fELF", b"PK\x03\x04", b"\xcf\xfa\xed\xfe", b"text\0with nul", b"\x1b[31mred", b"caf\xe9"],
)
def test_what_may_not_be_uploaded_is_nothing_whatever_it_is_called(head):
    assert {kind_of(head, media_type) for media_type in ("", "application/octet-stream", *EXTENSIONS)} == {None}


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "application/zip", "application/javascript"])
def test_what_a_browser_would_run_is_refused(media_type):
    assert kind_of(b"<svg onload=alert(1)>", media_type) is None


def test_a_character_may_be_cut_at_the_end_of_what_is_looked_at():
    head = ("a" * (HEAD_BYTES - 1) + "é").encode()[:HEAD_BYTES]
    assert kind_of(head, "text/plain") == "text/plain"
    assert kind_of(b"\xe9" + head[1:], "text/plain") is None


@given(st.binary(max_size=200), st.sampled_from(["", *EXTENSIONS]))
def test_no_bytes_break_it(head, media_type):
    assert kind_of(head, media_type) in (None, *EXTENSIONS)
