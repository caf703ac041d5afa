"""What tests look at of an app that was deployed, and a deployment with a secret."""

from shared.deploys.secrets import secret_store

CANARY = "canary-7f3a9c"


def app_of(cloud):
    (app,) = cloud.apps.values()
    return app


def configuration_of(cloud):
    return app_of(cloud).body["properties"]["configuration"]


async def spec_with_secret(harness, value=CANARY, outcome="good"):
    reference = await secret_store().put({"TOKEN": value, "EMPTY": ""})
    return await harness.spec(outcome, secrets_reference=reference)
