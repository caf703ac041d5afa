"""HTML becomes the text that a browser would show; everything else stays as it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.followups.sending.plain_text import plain_text


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("5 < 6 and a <- b, write to <ann@example.com>", "5 < 6 and a <- b, write to <ann@example.com>"),
        ("<p>Dear Ann,</p>\n<p>a  b<br/>c &amp; d</p>", "Dear Ann,\n\na b\nc & d"),
        ("<div>One<ul><li>a</li><li>b</li></ul></div>", "One\n\na\nb"),
        ("<p>Hi</p><script>alert(1)</script><style>p {}</style>", "Hi"),
        ("<p></p>", "<p></p>"),
        ("<P CLASS='x'>Hi <b>there", "Hi there"),
    ],
)
def test_the_text_of_words(words, text):
    assert plain_text(words) == text


@given(st.text(max_size=200))
def test_words_without_tags_stay(words):
    assert plain_text(words.replace("<", "")) == words.replace("<", "")


@given(st.text(alphabet="<>/pbrdiv &;a=\"'!-", max_size=80))
def test_no_markup_breaks_it(words):
    assert plain_text(words).strip() or not words.strip()
