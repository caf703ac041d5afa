"""What the settings of providers take and refuse."""

import pytest
from pydantic import ValidationError

from shared.followups.provider_settings import ProviderSettings

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses-events"


def of(monkeypatch: pytest.MonkeyPatch, **given: str) -> ProviderSettings:
    for name, value in given.items():
        monkeypatch.setenv(name.upper(), value)
    return ProviderSettings.of_environment()


def test_a_secret_that_the_vault_holds_as_unset_is_none(monkeypatch):
    unset = of(monkeypatch, resend_webhook_secret="unset", followups_model_key="unset")
    assert (unset.resend_webhook_secret, unset.followups_model_key) == (None, None)
    chosen = of(monkeypatch, resend_webhook_secret="whsec_eA==")
    assert chosen.resend_webhook_secret is not None
    assert chosen.resend_webhook_secret.get_secret_value() == "whsec_eA=="


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("followups_sns_topics", f"{TOPIC},{TOPIC}-2", f"{TOPIC}, {TOPIC}-2"),
        ("followups_dns_server", "[::1]:53", "127.0.0.1"),
        ("followups_dkim_selectors", "a,b-1", "a,,b"),
        ("communication_endpoint", "https://mails.communication.azure.com/", "mails.communication.azure.com"),
        ("followups_event_grid_tenant", "72f988bf-86f1-41af-91ab-2d7cd011db47", "contoso"),
        ("followups_model_seconds", "120", "0"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_name(monkeypatch, name, good, bad):
    assert str(getattr(of(monkeypatch, **{name: good}), name)).startswith(good[:3])
    with pytest.raises(ValidationError, match=name):
        of(monkeypatch, **{name: bad})
