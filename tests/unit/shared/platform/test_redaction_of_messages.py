"""No secret of a message is shown to whoever reads dead letters."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.platform.redaction import HIDDEN, redact, redact_named

CANARY = "c4n4ry-s3cr3t"
NAMES = [
    *("password", "db_password", "clientSecret", "access_token", "apiKey", "api-key", "X-API-Key", "storage_key"),
    *("AccountKey", "SharedAccessSignature", "Authorization", "Cookie", "privatePem", "envVariables", "environment"),
]


@pytest.mark.parametrize("name", NAMES)
def test_values_under_a_secrets_name_are_hidden_however_deep(name):
    body = {"runId": "r1", "items": [{"inner": {name: {"A": CANARY}, "force": True}}]}
    shown = redact(json.dumps(body))
    assert CANARY not in shown
    assert json.loads(shown) == {"runId": "r1", "items": [{"inner": {name: HIDDEN, "force": True}}]}
    assert redact_named(name, CANARY) == HIDDEN


@pytest.mark.parametrize("depth", [100, 400, 900, 5_000])
def test_a_message_that_is_nested_too_deeply_is_read_as_text(depth):
    shown = redact("[" * depth + json.dumps({"password": CANARY, "why": "x"}) + "]" * depth)
    assert CANARY not in shown
    assert "why" in shown


@pytest.mark.parametrize(
    "text",
    [
        f"password={CANARY}",
        f"Endpoint=sb://x;SharedAccessKey={CANARY};EntityPath=q",
        f'{{"runId": 1, "password": "{CANARY}"',
        f"Authorization: Bearer {CANARY}",
        f"sent with bearer {CANARY} today",
        f"https://x.test/?sig=1&token={CANARY}&page=2",
    ],
)
def test_text_that_is_no_json_is_searched_too(text):
    assert CANARY not in redact(text)


def test_what_is_no_secret_is_shown():
    body = {"runId": "2b1", "traceId": "t", "force": True, "count": 3, "none": None, "monkey": "see", "keyboard": "do"}
    assert json.loads(redact(json.dumps(body))) == body
    assert redact("the run is gone") == "the run is gone"


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_json_stays_json(value):
    text = json.dumps(value)
    if isinstance(value, dict | list):
        assert type(json.loads(redact(text))) is type(value)
    else:
        assert isinstance(redact(text), str)
