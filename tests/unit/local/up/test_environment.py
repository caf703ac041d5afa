"""The app's settings on this machine."""

import json

import pytest

from local.up import Ports, settings
from local.up.keys import Keys

PORTS = Ports(
    azurite=1, azurite_queue=2, azurite_table=3, postgres=4, servicebus=5, servicebus_admin=8, supplier=6, smtp=7
)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A checkout with an example of its own."""
    example = {
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "POSTGRES_DSN": "example",
        "NIVODA_ENDPOINT": "example",
        "INGEST_SECONDS": "240",
        "TASKHUB_NAME": "manifold",
        "FOLLOWUPS_PUBLIC_URL": "http://127.0.0.1:7071",
    }
    (tmp_path / "local.settings.json.example").write_text(json.dumps({"Values": example}))
    monkeypatch.setattr("local.up.environment.ROOT", tmp_path)
    return tmp_path


def test_addresses_are_those_of_the_actual_ports(root):
    values = settings(PORTS)
    assert values["POSTGRES_DSN"] == "postgresql://manifold:manifold@127.0.0.1:4/manifold"
    assert values["ServiceBus"].startswith("Endpoint=sb://127.0.0.1:5;")
    assert "UseDevelopmentEmulator=true" in values["ServiceBus"]
    assert values["SERVICEBUS_RESOURCE"].startswith("http://127.0.0.1:8/subscriptions/")
    assert values["NIVODA_ENDPOINT"] == "http://127.0.0.1:6/graphql"
    assert (values["SMTP_HOST"], values["SMTP_PORT"]) == ("127.0.0.1", "7")
    assert "BlobEndpoint=http://127.0.0.1:1/devstoreaccount1" in values["AzureWebJobsStorage"]
    assert values["STORAGE_CONNECTION"] == values["AzureWebJobsStorage"]
    assert values["TASKHUB_NAME"] == "manifold"


def test_the_developers_choices_come_before_the_example(root):
    mine = {"INGEST_SECONDS": "5", "MY_OWN": "x", "POSTGRES_DSN": "mine"}
    (root / "local.settings.json").write_text(json.dumps({"Values": mine}))
    values = settings(PORTS, environment={"INGEST_SECONDS": "6", "PATH": "/bin"})
    assert (values["INGEST_SECONDS"], values["MY_OWN"]) == ("6", "x")
    assert values["POSTGRES_DSN"].endswith(":4/manifold")
    assert "PATH" not in values
    assert settings(PORTS, without={"postgres"})["POSTGRES_DSN"] == "mine"


def test_links_in_mails_lead_to_this_host_unless_the_developer_names_another_address(root):
    assert settings(Ports(host=9))["FOLLOWUPS_PUBLIC_URL"] == "http://127.0.0.1:9"
    given = {"FOLLOWUPS_PUBLIC_URL": "https://tunnel.example.com"}
    assert settings(Ports(host=9), environment=given)["FOLLOWUPS_PUBLIC_URL"] == "https://tunnel.example.com"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"Values": 3}'])
def test_a_file_that_cannot_be_read_is_named(root, text):
    (root / "local.settings.json").write_text(text)
    with pytest.raises(ValueError, match=r"local\.settings\.json must be JSON with an object named Values"):
        settings(PORTS)


def test_the_real_example_has_every_address():
    values = settings(PORTS)
    assert not [name for name, value in values.items() if "UseDevelopmentStorage" in value]
    assert settings(Ports()) == settings(Ports()) | {"NIVODA_ENDPOINT": "http://127.0.0.1:8400/graphql"}


def test_keys_of_a_start_are_in_the_addresses_of_what_runs_here(root):
    keys, others = Keys.fresh(), Keys.fresh()
    values = settings(PORTS, keys=keys)
    assert f"AccountKey={keys.storage};" in values["STORAGE_CONNECTION"]
    assert f"AccountKey={keys.documents};" in values["COSMOS_CONNECTION"]
    assert f"SharedAccessKey={keys.messages};" in values["ServiceBus"]
    assert values["LOCAL_PLATFORM_TOKEN"] == keys.platform_token
    assert len({*keys.environment().values(), *others.environment().values()}) == 8
    assert set(keys.environment().values()).isdisjoint(Keys().environment().values())
    assert "LOCAL_PLATFORM_TOKEN" not in settings(PORTS, {"apps"}, keys=keys)
