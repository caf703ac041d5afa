"""The accounts of those whom the follow-ups speak to: mail providers, a model, Google, DNS."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from shared.platform.settings import Settings

_TOPIC = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}"
_HOSTS = r"^([A-Za-z0-9_.-]+(,[A-Za-z0-9_.-]+)*)?$"


class ProviderSettings(Settings):
    """Who signs agents in, writes mails, delivers them, and tells what became of them."""

    google_client_id: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9.-]{1,200})?$",
        description="client id of the web app at Google that agents sign in with; unset: none can",
    )
    google_keys_url: str = Field(
        default="https://www.googleapis.com/oauth2/v3/certs",
        pattern=r"^https?://[!-~]+$",
        description="address of the keys that Google signs with",
    )
    followups_provider: Literal["smtp", "resend", "ses", "communication"] = Field(
        default="smtp",
        description="who delivers follow-ups: the relay at SMTP_HOST, Resend with RESEND_API_KEY, SES at SES_REGION,"
        " Communication Services at COMMUNICATION_ENDPOINT",
    )
    communication_endpoint: str = Field(
        default="",
        pattern=r"^(https?://[A-Za-z0-9.:-]+/?)?$",
        description="address of the Communication Services resource, opened with the app's identity",
    )
    communication_key: SecretStr | None = Field(
        default=None, description="access key of that resource; unset: the app's identity"
    )
    resend_webhook_secret: SecretStr | None = Field(
        default=None, description="secret that Resend signs its events with (whsec_...); unset: none is taken"
    )
    followups_event_grid_tenant: str = Field(
        default="",
        pattern=r"^([0-9a-fA-F-]{36})?$",
        description="tenant of Entra ID whose tokens Event Grid shows; unset: its events are not taken",
    )
    followups_event_grid_audience: str = Field(
        default="",
        max_length=200,
        description="application in that tenant that the tokens of Event Grid are for: its id or its URI",
    )
    ses_region: str = Field(default="", pattern=r"^([a-z0-9-]{5,30})?$", description="region of Amazon SES")
    ses_access_key_id: str = Field(default="", description="id of the access key that may send through SES")
    ses_secret_access_key: SecretStr = Field(default=SecretStr(""), description="secret of that access key")
    ses_configuration_set: str = Field(
        default="",
        max_length=64,
        description="configuration set of SES that publishes what became of the mails; unset: none",
    )
    followups_sns_topics: str = Field(
        default="",
        pattern=rf"^({_TOPIC}(,{_TOPIC})*)?$",
        description="topics of SNS whose events of SES are taken, by commas; unset: none",
    )
    followups_check_domain: bool = Field(
        default=True,
        description="true: no mail goes out before DNS shows SPF, DKIM and DMARC of the sender's domain; not looked at"
        " where the relay is this machine",
    )
    followups_dkim_selectors: str = Field(
        default="",
        pattern=_HOSTS,
        description="names of the DKIM keys of the sender's domain; unset: those of the provider",
    )
    followups_return_path: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9.-]+)?$",
        description="domain that bounces go to, whose SPF counts; unset: the one that the provider has by default",
    )
    followups_dns_server: str = Field(
        default="",
        pattern=r"^([0-9a-fA-F.:\[\]]+:[0-9]+)?$",
        description="address:port of the DNS server; unset: the system's",
    )
    followups_writer: Literal["template", "model"] = Field(
        default="template",
        description="who writes: the templates, or a model of OpenAI or Azure OpenAI with them to fall back on",
    )
    followups_model: str = Field(
        default="gpt-4.1-mini", max_length=100, description="name of the model, at Azure OpenAI of its deployment"
    )
    followups_model_endpoint: str = Field(
        default="https://api.openai.com/v1",
        pattern=r"^https?://[!-~]+$",
        description="address of the API; at Azure OpenAI https://<resource>.openai.azure.com/openai/v1",
    )
    followups_model_key: SecretStr | None = Field(
        default=None, description="key of the API; unset: the app's identity, which Azure OpenAI takes"
    )
    followups_model_seconds: float = Field(
        default=30, gt=0, le=120, description="seconds that a model may take for one mail; then the template writes it"
    )
    followups_model_tokens: int = Field(
        default=1000, ge=100, le=10_000, description="most tokens that one answer may have"
    )
    followups_model_daily_tokens: int = Field(
        default=1_000_000, ge=0, description="tokens a day of all mails together, after which templates write; 0: none"
    )
    followups_model_input_price: float = Field(
        default=0.4, ge=0, description="dollars for a million tokens that the model reads, for the record of costs"
    )
    followups_model_output_price: float = Field(
        default=1.6, ge=0, description="dollars for a million tokens that the model writes"
    )

    @field_validator("resend_webhook_secret", "followups_model_key", mode="before")
    @classmethod
    def _unset(cls, value: object) -> object:
        # A vault holds no empty secret, so that one which nobody has chosen says so.
        return None if value == "unset" else value
