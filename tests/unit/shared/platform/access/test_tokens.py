"""Tokens: only ours, of this audience, in time; and a key can be replaced."""

import json
import time

import jwt
import pytest
from pydantic import SecretStr, ValidationError

from shared.platform.access.tokens import SigningKeys, Tokens, key_id
from shared.platform.errors import Unauthenticated
from shared.platform.settings import Settings

OLD, NEW = SecretStr("o" * 32), SecretStr("n" * 32)


def claims(**changes: object) -> dict[str, object]:
    now = int(time.time())
    return {"sub": "ann", "iat": now, "exp": now + 60, **changes}


def test_a_token_tells_what_was_signed_and_names_its_key() -> None:
    tokens = Tokens("a", (NEW,))
    token = tokens.sign(claims(lsn=7))
    assert tokens.read(token) | {"lsn": 7} == tokens.read(token)
    assert jwt.get_unverified_header(token)["kid"] == key_id("n" * 32)


def test_a_key_is_replaced_without_signing_anybody_out() -> None:
    token = Tokens("a", (OLD,)).sign(claims())
    both = Tokens("a", (NEW, OLD))
    assert both.read(token)["sub"] == "ann"
    assert Tokens("a", (NEW,)).read(both.sign(claims()))["sub"] == "ann"
    with pytest.raises(Unauthenticated):
        Tokens("a", (NEW,)).read(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "é" * 20,
        Tokens("another", (NEW,)).sign(claims()),
        Tokens("a", (OLD,)).sign(claims()),
        Tokens("a", (NEW,)).sign(claims(exp=int(time.time()) - 1)),
        Tokens("a", (NEW,)).sign({"sub": "ann"}),
        jwt.encode(claims() | {"iss": "manifold", "aud": "a"}, "", "none", headers={"kid": key_id("n" * 32)}),
        jwt.encode(claims() | {"iss": "manifold", "aud": "a"}, "n" * 32, "HS256"),
        jwt.encode(claims() | {"iss": "other", "aud": "a"}, "n" * 32, "HS256", headers={"kid": key_id("n" * 32)}),
    ],
)
def test_what_we_have_not_signed_for_this_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        Tokens("a", (NEW,)).read(token)


class Group(Settings):
    test_keys: SigningKeys = ()


@pytest.mark.parametrize(
    ("value", "found"),
    [("n" * 32, ("n" * 32,)), (json.dumps(["n" * 32, "o" * 40]), ("n" * 32, "o" * 40)), ("unset", ())],
)
def test_a_setting_holds_one_key_or_several(monkeypatch, value: str, found: tuple[str, ...]) -> None:
    monkeypatch.setenv("TEST_KEYS", value)
    assert tuple(key.get_secret_value() for key in Group.of_environment().test_keys) == found


@pytest.mark.parametrize("value", ["secret", '["secret', '["secret"]', "[1]", "[]", json.dumps(["secret" * 6] * 4)])
def test_unusable_keys_are_refused_without_being_repeated(monkeypatch, value: str) -> None:
    monkeypatch.setenv("TEST_KEYS", value)
    with pytest.raises(ValidationError) as refused:
        Group.of_environment()
    assert all("secret" not in str(error["msg"]) for error in refused.value.errors(include_input=False))
