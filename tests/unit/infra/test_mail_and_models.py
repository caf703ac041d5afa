"""Communication Services and Azure OpenAI are made where they are asked for, and open to identities alone."""

import pytest

from local.arm.provisioning.subscription import Subscription
from shared.followups.events.providers import communication
from tests.unit.infra.plain import plain
from tools.dry_run.__main__ import run
from triggers.followups.events.mail_events import MAIL_EVENTS

KINDS = ("Microsoft.Communication", "Microsoft.EventGrid", "Microsoft.CognitiveServices")


def provisioned(**given):
    """The resources of these kinds, by type, and the app's settings."""
    subscription = Subscription()
    for _ in ("first", "second"):
        run(subscription, given)
    found = [
        one for one in subscription.resources.values() if one["type"].startswith(KINDS) and "papers" not in one["name"]
    ]
    [app] = [one for one in subscription.resources.values() if one["type"] == "Microsoft.Web/sites"]
    settings = {one["name"]: one["value"] for one in app["properties"]["siteConfig"]["appSettings"]}
    return {one["type"].split("/", 1)[1]: one for one in found}, settings


def test_nothing_of_it_is_made_unless_asked_for():
    found, settings = provisioned()
    assert found == {}
    assert settings["COMMUNICATION_ENDPOINT"] == ""
    assert settings["FOLLOWUPS_MODEL_ENDPOINT"] == "https://api.openai.com/v1"


@pytest.mark.parametrize(
    ("domain", "verified", "linked", "rate"),
    [("azure", "false", 1, "0.16"), ("mail.example.com", "false", 0, "1.6"), ("mail.example.com", "true", 1, "1.6")],
)
def test_only_a_domain_that_is_verified_is_linked(domain, verified, linked, rate):
    found, settings = provisioned(MAIL_DOMAIN=domain, MAIL_DOMAIN_VERIFIED=verified)
    service = found["communicationServices"]["properties"]
    assert len(service["linkedDomains"]) == linked
    assert service["disableLocalAuth"] is True
    assert ("emailServices/domains/senderUsernames" in found) == (domain != "azure")
    assert settings["COMMUNICATION_ENDPOINT"].startswith("https://acs-")
    assert settings["FOLLOWUPS_SENDER"].endswith("azurecomm.net" if domain == "azure" else "followups@mail.example.com")
    assert settings["FOLLOWUPS_MAILS_PER_MINUTE"] == rate


@pytest.mark.parametrize(
    ("domain", "names"), [("", set()), ("azure", set()), ("mail.example.com", {"Domain", "SPF", "DKIM", "DKIM2"})]
)
def test_the_records_of_ones_own_domain_are_told_and_others_have_none(domain, names):
    outputs = run(Subscription(), {"MAIL_DOMAIN": domain})
    assert outputs["MAIL_DOMAIN_RECORDS"].keys() == names


@pytest.mark.parametrize(("private", "access"), [("true", "Disabled"), ("false", "Enabled")])
def test_with_a_private_network_the_model_is_reached_through_it_alone(private, access):
    subscription = Subscription()
    run(subscription, {"OPENAI_LOCATION": "swedencentral", "PRIVATE_NETWORK": private})
    found = {one["name"]: one for one in subscription.resources.values()}
    [account] = [one for one in found.values() if one["type"] == "Microsoft.CognitiveServices/accounts"]
    assert account["properties"]["publicNetworkAccess"] == access
    endpoints = [one for name, one in found.items() if name.startswith("pe-open-ai-")]
    assert len(endpoints) == (private == "true")
    for endpoint in endpoints:
        [connection] = endpoint["properties"]["privateLinkServiceConnections"]
        assert connection["properties"]["groupIds"] == ["account"]
        assert connection["properties"]["privateLinkServiceId"].endswith(account["name"])
        assert "privatelink.openai.azure.com" in found


def test_the_events_go_to_the_queue_that_the_app_reads_and_are_those_that_it_knows(modules):
    events = plain(modules["communication"].named("events").value)["properties"]
    assert set(events["filter"]["includedEventTypes"]) == {communication.DELIVERY, communication.ENGAGEMENT}
    destination = events["deliveryWithResourceIdentity"]["destination"]
    assert destination == {"endpointType": "ServiceBusQueue", "properties": {"resourceId": "eventsQueue.id"}}
    assert plain(modules["serviceBus"].named("mailEvents").value)["name"] == MAIL_EVENTS
    assert plain(modules["main"].named("communication").value)["params"]["eventsQueueName"] == (
        "serviceBus.outputs.mailEventsName"
    )


def test_the_model_of_the_papers_is_made_where_it_is_asked_for_with_one_for_batches():
    subscription = Subscription()
    run(subscription, {"OPENAI_LOCATION": "swedencentral", "PAPERS_EMBEDDER": "openai"})
    deployments = {
        one["name"]: (one["sku"]["name"], one["properties"]["model"]["name"], one["properties"]["versionUpgradeOption"])
        for one in subscription.resources.values()
        if one["type"] == "Microsoft.CognitiveServices/accounts/deployments"
    }
    model = "text-embedding-3-small"
    assert deployments.pop(model) == ("GlobalStandard", model, "NoAutoUpgrade")
    assert deployments.pop(f"{model}-batch") == ("GlobalBatch", model, "NoAutoUpgrade")
    assert len(deployments) == 1  # that of the follow-ups
    _, settings = provisioned(OPENAI_LOCATION="swedencentral", PAPERS_EMBEDDER="openai")
    assert settings["PAPERS_OPENAI_ENDPOINT"].endswith(".openai.azure.com/openai/v1")
    assert settings["PAPERS_OPENAI_MODEL"] == model
    assert settings["PAPERS_OPENAI_BATCH_MODEL"] == f"{model}-batch"


def test_without_azure_openai_the_papers_model_is_where_the_settings_say():
    _, settings = provisioned(PAPERS_EMBEDDER="openai", PAPERS_OPENAI_ENDPOINT="https://models.example.com/v1")
    assert settings["PAPERS_OPENAI_ENDPOINT"] == "https://models.example.com/v1"
    assert settings["PAPERS_OPENAI_BATCH_MODEL"] == ""


def test_the_model_has_a_name_that_tokens_of_entra_are_taken_under():
    found, settings = provisioned(OPENAI_LOCATION="swedencentral", FOLLOWUPS_MODEL="gpt-4.1")
    account = found["accounts"]["properties"]
    assert account["customSubDomainName"] == found["accounts"]["name"]
    assert account["disableLocalAuth"] is True
    assert found["accounts/deployments"]["name"] == settings["FOLLOWUPS_MODEL"] == "gpt-4.1"
    assert settings["FOLLOWUPS_MODEL_ENDPOINT"].endswith(".openai.azure.com/openai/v1")
