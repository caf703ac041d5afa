"""Before a provisioning it is seen that the region has the models, and quota for them."""

import pytest

from infra.hooks.model_quota import Deployment, wanted
from local.arm.provisioning.subscription import Subscription
from tools.dry_run.__main__ import run

MODELS = {"OPENAI_LOCATION": "swedencentral", "PAPERS_EMBEDDER": "openai"}


def test_what_is_asked_for_is_what_the_templates_deploy():
    subscription = Subscription()
    run(subscription, MODELS)
    deployed = {
        Deployment(
            one["name"],
            one["properties"]["model"]["name"],
            one["properties"]["model"]["version"],
            one["sku"]["name"],
            one["sku"]["capacity"],
            "OPENAI_CAPACITY" if one["name"].startswith("gpt") else "PAPERS_OPENAI_CAPACITY",
        )
        for one in subscription.of_type("Microsoft.CognitiveServices/accounts/deployments")
    }
    assert deployed == set(wanted(MODELS))
    assert len(wanted({})) == 1


def test_what_is_deployed_already_is_not_asked_for_twice():
    subscription = Subscription(model_quota=160)
    for _ in ("first", "second"):
        run(subscription, MODELS)


def test_too_little_quota_ends_it_before_anything_is_made():
    subscription = Subscription(model_quota=100)
    with pytest.raises(SystemExit, match=r"quota of 100 left for text-embedding-3-small.*PAPERS_OPENAI_CAPACITY 100"):
        run(subscription, MODELS)
    assert subscription.resources == {}
    run(subscription, {**MODELS, "PAPERS_OPENAI_CAPACITY": "100"})


def test_a_model_or_version_that_the_region_does_not_offer_is_named():
    with pytest.raises(SystemExit, match="no text-embedding-3-small 1 as GlobalStandard: it has no such model"):
        run(Subscription(models_not_offered={"text-embedding-3-small"}), MODELS)
    with pytest.raises(SystemExit, match=r"gpt-4.1-mini 2020-01-01 as GlobalStandard: it offers version 2025-04-14"):
        run(Subscription(), {**MODELS, "OPENAI_MODEL_VERSION": "2020-01-01"})


def test_an_account_that_was_deleted_and_holds_its_name_is_purged_first():
    place = "/subscriptions/s/providers/Microsoft.CognitiveServices/locations/swedencentral"
    held = place + "/resourceGroups/{}/deletedAccounts/oai-1"
    with pytest.raises(SystemExit, match="az cognitiveservices account purge"):
        run(Subscription(deleted_accounts=[held.format("rg-dry-run")]), MODELS)
    run(Subscription(deleted_accounts=[held.format("rg-another")]), MODELS)


def test_without_azure_openai_nobody_is_asked():
    run(Subscription(model_quota=0, models_not_offered={"gpt-4.1-mini"}), {})
