"""The apps of Azure: nothing of one is dropped when it is written again, and its secrets stay secret."""

import pytest

from local.arm.cloud import Outcome
from shared.deploys.models import SCALES
from shared.deploys.platforms.azure.names import suffix
from shared.platform.errors import TerminalError
from tests.integration.shared.deploys.platforms.azure.deployed import CANARY, app_of, configuration_of, spec_with_secret

HOST = "shop.example.com"


async def test_an_app_has_the_size_the_scale_and_the_variables_of_its_deployment(harness, cloud):
    spec = await spec_with_secret(harness)
    spec = spec.model_copy(update={"environment": "production", "scale": SCALES["production"]})
    await harness.through(spec)
    template = app_of(cloud).body["properties"]["template"]
    (container,) = template["containers"]
    assert (container["resources"]["cpu"], container["resources"]["memory"]) == (2.0, "4Gi")
    assert container["command"] == list(spec.start_command)
    assert (template["scale"]["minReplicas"], template["scale"]["maxReplicas"]) == (2, 10)
    http, cpu = template["scale"]["rules"]
    assert http["http"]["metadata"] == {"concurrentRequests": "100"}
    assert cpu["custom"] == {"type": "cpu", "metadata": {"type": "Utilization", "value": "70"}}
    variables = {one["name"]: one["secretRef"] or one["value"] for one in container["env"]}
    assert variables == {"PORT": "8080", "EMPTY": "", "TOKEN": f"{suffix(spec)}-1"}
    assert [one["value"] for one in configuration_of(cloud)["secrets"]] == [CANARY]


async def test_an_app_that_may_sleep_is_not_kept_awake_by_a_rule(harness, cloud):
    await harness.through(await harness.spec())
    scale = app_of(cloud).body["properties"]["template"]["scale"]
    assert (scale["minReplicas"], [one["name"] for one in scale["rules"]]) == (0, ["http-scaling"])


async def test_an_app_cannot_use_the_identity_that_fetches_its_image(harness, cloud):
    await harness.through(await harness.spec())
    assert [one["lifecycle"] for one in configuration_of(cloud)["identitySettings"]] == ["None"]


async def test_the_next_deployment_keeps_domains_and_the_secrets_of_who_serves(harness, cloud, recorder):
    first, second = await spec_with_secret(harness), await spec_with_secret(harness, "another-value")
    await harness.through(first)
    cloud.dns[HOST] = "CNAME"
    await harness.bound(first.model_copy(update={"custom_domain": HOST}), recorder.step)
    await harness.through(second, to="release")
    secrets = {one["value"] for one in configuration_of(cloud)["secrets"]}
    assert secrets == {CANARY, "another-value"}
    assert await harness.who_serves() == first.deployment_id
    await harness.through(second)
    assert [one["value"] for one in configuration_of(cloud)["secrets"]] == ["another-value"]
    (domain,) = configuration_of(cloud)["ingress"]["customDomains"]
    assert (domain["name"], domain["bindingType"]) == (HOST, "SniEnabled")
    assert (await harness.get(f"https://{HOST}")).text == f"served by {second.deployment_id}"


async def test_a_refusal_by_azure_does_not_quote_the_apps_secrets(harness, cloud, recorder):
    spec = await spec_with_secret(harness)
    context = await harness.through(spec, to="sync")
    image = (await harness.platform.build(spec, context, recorder.step)).image
    put = harness.platform._azure.put

    async def quoting(path, version, body):
        if "containerApps" in path:
            raise TerminalError(f"Azure refused: {body}", code="azure-refused")
        return await put(path, version, body)

    harness.platform._azure.put = quoting
    with pytest.raises(TerminalError) as refusal:
        await harness.platform.release(spec, image, recorder.step)
    assert CANARY not in str(refusal.value)
    assert refusal.value.code == "azure-refused"


async def test_only_a_release_writes_a_template(harness, cloud, recorder):
    first, second = await harness.spec(), await harness.spec()
    await harness.through(first)
    await harness.through(second, to="promote")
    await harness.platform.rollback(second, recorder.step)
    writes = {
        name.split(" ")[0]: count for name, count in cloud.asked.items() if name.endswith(f"/{app_of(cloud).name}")
    }
    assert writes["PUT"] == 2
    assert writes["PATCH"] == 2


async def test_restarts_of_a_replica_are_counted_and_its_state_is_the_reason(harness, cloud):
    spec = await harness.spec()
    await harness.through(spec)
    [app] = cloud.apps.values()
    [revision] = app.revisions.values()
    revision.restarts, revision.outcome = 3, Outcome(answer=(200, ""), healthy=False)
    found = await harness.platform.health(spec)
    assert (found.healthy, found.restarts) == (False, 3)
    assert "Failed" in found.reason


async def test_the_logs_of_all_replicas_are_read_and_followed(harness, cloud):
    spec = await harness.spec()
    await harness.through(spec)
    [app] = cloud.apps.values()
    [revision] = app.revisions.values()
    revision.logs = {"shop-abc-x1": "one\n", "shop-abc-y2": "two\n"}
    assert (await harness.platform.log_tail(spec)).splitlines() == ["x1 one", "y2 two"]
    first = await harness.platform.log_from(spec, None)
    assert first.text.splitlines() == ["x1 one", "y2 two"]
    revision.logs["shop-abc-y2"] += "three\n"
    second = await harness.platform.log_from(spec, first.cursor)
    assert second.text == "y2 three\n"
    assert (await harness.platform.log_from(spec, second.cursor)).text == ""
