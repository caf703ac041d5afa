from __future__ import annotations

import json

import pytest

from shared.platform.errors import TerminalError
from shared.platform.settings import settings
from tests.fresh_settings import forget_settings


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("POSTGRES_DSN", "postgresql://nowhere")
    forget_settings()
    yield
    forget_settings()


def test_a_missing_setting_is_named_with_the_place_to_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POSTGRES_DSN")
    with pytest.raises(TerminalError, match=r"POSTGRES_DSN: Field required.*local\.settings\.json"):
        settings()


def test_a_wrong_value_is_named_and_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_POOL_SIZE", "-1")
    monkeypatch.setenv("ADMIN_API_KEY", "@Microsoft.KeyVault(SecretUri=https://canary)")
    with pytest.raises(TerminalError) as refused:
        settings()
    assert "POSTGRES_POOL_SIZE" in str(refused.value)
    assert "ADMIN_API_KEY: Value error, the Key Vault reference is not resolved" in str(refused.value)
    assert "canary" not in str(refused.value)


def test_an_empty_value_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PORT", "")
    assert settings().smtp_port == 1025


ONE, OTHER = "a" * 32, "b" * 40


@pytest.mark.parametrize(
    ("given", "clients"), [({}, {}), ({"acme": ONE}, {"acme": [ONE]}), ({"acme": [ONE, OTHER]}, {"acme": [ONE, OTHER]})]
)
def test_secrets_of_signing_clients_are_read(monkeypatch: pytest.MonkeyPatch, given: object, clients: object) -> None:
    monkeypatch.setenv("HMAC_SECRETS", json.dumps(given))
    read = {name: [one.get_secret_value() for one in secrets] for name, secrets in settings().hmac_secrets.items()}
    assert read == clients
    assert ONE not in repr(settings())


@pytest.mark.parametrize("given", [[], {"acme": "canary"}, {"acme": []}, {"acme": 5}, {"acme": [ONE] * 3}, "canary"])
def test_unusable_secrets_of_signing_clients_are_refused_unseen(monkeypatch: pytest.MonkeyPatch, given: object) -> None:
    for text in (json.dumps(given), str(given)):
        monkeypatch.setenv("HMAC_SECRETS", text)
        forget_settings()
        with pytest.raises(TerminalError, match="HMAC_SECRETS") as refused:
            settings()
        assert "canary" not in str(refused.value)
        assert ONE not in str(refused.value)
