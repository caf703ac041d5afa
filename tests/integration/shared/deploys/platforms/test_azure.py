"""What holds on Azure in particular: nothing is dropped, nothing is done twice, and signed addresses stay secret."""

import asyncio
import io
import logging
import tarfile
import time

import pytest

from local.arm.cloud import ENVIRONMENT, PROVIDERS, Outcome, broken, locked, throttled
from shared.deploys import sources
from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.models import SCALES
from shared.deploys.platforms.azure import builds
from shared.deploys.platforms.azure.names import revision_name, suffix
from shared.deploys.secrets import secret_store
from shared.platform.errors import TerminalError, TransientError
from shared.platform.stores import blob_files
from shared.platform.stores.blobs import read_blob
from tests.fresh_settings import forget_settings
from tests.present import present

CANARY = "canary-7f3a9c"
HOST = "shop.example.com"


@pytest.fixture
def harness(azure_harness):
    return azure_harness


@pytest.fixture
def cloud(harness):
    return harness.cloud


def _app(cloud):
    (app,) = cloud.apps.values()
    return app


def _configuration(cloud):
    return _app(cloud).body["properties"]["configuration"]


async def _with_secret(harness, value=CANARY, outcome="good"):
    reference = await secret_store().put({"TOKEN": value, "EMPTY": ""})
    return await harness.spec(outcome, secrets_reference=reference)


async def test_an_app_has_the_size_the_scale_and_the_variables_of_its_deployment(harness, cloud):
    spec = await _with_secret(harness)
    spec = spec.model_copy(update={"environment": "production", "scale": SCALES["production"]})
    await harness.through(spec)
    template = _app(cloud).body["properties"]["template"]
    (container,) = template["containers"]
    assert (container["resources"]["cpu"], container["resources"]["memory"]) == (2.0, "4Gi")
    assert container["command"] == list(spec.start_command)
    assert (template["scale"]["minReplicas"], template["scale"]["maxReplicas"]) == (2, 10)
    http, cpu = template["scale"]["rules"]
    assert http["http"]["metadata"] == {"concurrentRequests": "100"}
    assert cpu["custom"] == {"type": "cpu", "metadata": {"type": "Utilization", "value": "70"}}
    variables = {one["name"]: one["secretRef"] or one["value"] for one in container["env"]}
    assert variables == {"PORT": "8080", "EMPTY": "", "TOKEN": f"{suffix(spec)}-1"}
    assert [one["value"] for one in _configuration(cloud)["secrets"]] == [CANARY]


async def test_an_app_that_may_sleep_is_not_kept_awake_by_a_rule(harness, cloud):
    await harness.through(await harness.spec())
    scale = _app(cloud).body["properties"]["template"]["scale"]
    assert (scale["minReplicas"], [one["name"] for one in scale["rules"]]) == (0, ["http-scaling"])


async def test_an_app_cannot_use_the_identity_that_fetches_its_image(harness, cloud):
    await harness.through(await harness.spec())
    assert [one["lifecycle"] for one in _configuration(cloud)["identitySettings"]] == ["None"]


async def test_the_next_deployment_keeps_domains_and_the_secrets_of_who_serves(harness, cloud, recorder):
    first, second = await _with_secret(harness), await _with_secret(harness, "another-value")
    await harness.through(first)
    cloud.dns[HOST] = "CNAME"
    await harness.bound(first.model_copy(update={"custom_domain": HOST}), recorder.step)
    await harness.through(second, to="release")
    secrets = {one["value"] for one in _configuration(cloud)["secrets"]}
    assert secrets == {CANARY, "another-value"}
    assert await harness.who_serves() == first.deployment_id
    await harness.through(second)
    assert [one["value"] for one in _configuration(cloud)["secrets"]] == ["another-value"]
    (domain,) = _configuration(cloud)["ingress"]["customDomains"]
    assert (domain["name"], domain["bindingType"]) == (HOST, "SniEnabled")
    assert (await harness.get(f"https://{HOST}")).text == f"served by {second.deployment_id}"


async def test_after_cleanup_only_what_serves_is_left(harness, cloud):
    first, second = await harness.spec(), await harness.spec()
    await harness.through(first)
    await harness.through(second)
    active = [name for name, one in _app(cloud).revisions.items() if one.active]
    assert active == [revision_name(second)]
    assert not cloud.task_runs
    assert await blob_files.blob_size(builds.CONTEXTS, f"org/{second.deployment_id}.tar.gz") is None


async def test_the_environments_of_a_project_are_apps_of_their_own(harness, cloud):
    await harness.through(await harness.spec())
    await harness.through(await harness.spec(environment="production"))
    assert len(cloud.apps) == 2


async def test_undoing_the_first_deployment_of_an_app_deletes_the_app(harness, cloud, recorder):
    spec = await harness.spec()
    await harness.through(spec, to="promote")
    for _ in range(2):
        await harness.platform.rollback(spec, recorder.step)
    assert not cloud.apps


async def test_undoing_a_release_leaves_who_serves_alone(harness, cloud, recorder):
    first, second, third = [await harness.spec() for _ in range(3)]
    await harness.through(first)
    await harness.through(second, to="release")
    await harness.platform.rollback(second, recorder.step)
    assert not _app(cloud).revisions[revision_name(second)].active
    assert await harness.who_serves() == first.deployment_id
    await harness.through(third)
    assert await harness.who_serves() == third.deployment_id


@pytest.mark.parametrize("asked", range(1, 13))
async def test_a_crash_anywhere_in_a_deployment_builds_and_releases_once(harness, cloud, recorder, asked):
    """The process dies when the resource manager has answered so many requests, and all is done again."""
    spec = await harness.spec()
    context = await harness.through(spec, to="sync")
    platform, send = harness.platform, harness.platform._azure._http.request
    left = asked

    class CrashError(BaseException):
        pass

    async def dying(*arguments, **options):
        nonlocal left
        answer = await send(*arguments, **options)
        left -= 1
        if left == 0:
            raise CrashError
        return answer

    async def rest():
        built = await platform.build(spec, context, recorder.step)
        released = await platform.release(spec, built.image, recorder.step)
        await platform.promote(spec, released.revision, recorder.step)

    platform._azure._http.request = dying
    with pytest.raises(CrashError):
        await rest()
    await rest()
    assert len(cloud.runs) == 1
    assert list(_app(cloud).revisions) == [revision_name(spec)]
    assert await harness.who_serves() == spec.deployment_id


async def test_throttling_and_an_app_that_is_busy_are_waited_for(harness, cloud, recorder):
    first, second = await harness.spec(health_seconds=30), await harness.spec(health_seconds=30)
    await harness.through(first)
    cloud.trouble = [throttled(), broken(), locked(), throttled()]
    await harness.through(second, to="build")
    app = _app(cloud)
    _, app.operation = cloud.begin()
    app.operation.ends = time.monotonic() + 0.3
    await harness.through(second)
    assert await harness.who_serves() == second.deployment_id


async def test_an_image_that_cannot_be_fetched_is_an_unhealthy_revision(harness, cloud):
    first, second = await harness.spec(), await harness.spec()
    await harness.through(first)
    cloud.outcomes[suffix(second)] = Outcome(pulled=False)
    revision = await harness.through(second, to="release")
    assert (revision.healthy, "MANIFEST_UNKNOWN" in revision.reason) == (False, True)
    assert await harness.who_serves() == first.deployment_id


async def test_an_app_that_does_not_start_is_told_with_its_last_words_and_without_its_secrets(harness, cloud, recorder):
    spec = await _with_secret(harness)
    cloud.outcomes[suffix(spec)] = Outcome(healthy=False, answer=(500, f"cannot log in with {CANARY}"))
    revision = await harness.through(spec, recorder, to="release")
    assert not revision.healthy
    assert "cannot log in with ***" in revision.reason
    with pytest.raises(TerminalError) as refusal:
        await harness.platform.promote(spec, revision, recorder.step)
    assert CANARY not in str(refusal.value)


async def test_no_secret_and_no_signed_address_is_logged_or_handed_back(harness, cloud, recorders, caplog):
    caplog.set_level(logging.DEBUG)
    spec, recorder = await _with_secret(harness), recorders(seconds=0.1)
    handed = [await harness.through(spec, recorders(), to="sync")]
    cursor, done = None, False
    while not done:
        handed.append(await harness.platform.build(spec, handed[0], recorder.step, cursor))
        cursor, done = handed[-1].cursor, handed[-1].done
    image, cursor, done = handed[-1].image, None, False
    while not done:
        handed.append(await harness.platform.release(spec, image, recorder.step, cursor))
        cursor, done = handed[-1].cursor, handed[-1].done
    own = [one for one in caplog.records if not one.name.startswith("uvicorn")]
    text = recorder.text + "".join(map(repr, handed)) + "".join(one.getMessage() for one in own)
    assert len(handed) > 3
    assert CANARY not in text
    assert cloud.signature not in text


async def test_a_refusal_by_azure_does_not_quote_the_apps_secrets(harness, cloud, recorder):
    spec = await _with_secret(harness)
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
    writes = {name.split(" ")[0]: count for name, count in cloud.asked.items() if name.endswith(f"/{_app(cloud).name}")}
    assert writes["PUT"] == 2
    assert writes["PATCH"] == 2


async def test_the_last_words_of_a_builder_come_after_its_end_and_are_waited_for(harness, cloud, recorder):
    spec = await harness.spec()
    cloud.outcomes[suffix(spec)] = Outcome(build="Failed", log="Step 1\nStep 2\nno such package\n")
    with pytest.raises(TerminalError):
        await harness.through(spec, recorder, to="build")
    assert "no such package" in recorder.text
    assert recorder.text.count("Step 1") == 1


async def test_a_cancelled_build_is_cancelled_at_the_builder(harness, cloud, recorder):
    spec = await harness.spec("slow-build")
    context = await harness.through(spec, to="sync")
    work = asyncio.create_task(harness.platform.build(spec, context, recorder.step))
    async with asyncio.timeout(10):
        while "building" not in recorder.text:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.02)
    recorder.cancel.set()
    with pytest.raises(DeploymentCancelled):
        await work
    assert [run.status for run in cloud.runs.values()] == ["Canceled"]


async def test_a_cancel_is_seen_while_azure_takes_its_time(harness, cloud, recorder):
    spec = await harness.spec()
    built = await harness.through(spec, to="build")
    cloud.seconds = 60
    work = asyncio.create_task(harness.platform.release(spec, built.image, recorder.step))
    async with asyncio.timeout(10):
        while not cloud.apps:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
    began = time.monotonic()
    recorder.cancel.set()
    with pytest.raises(DeploymentCancelled):
        await work
    assert time.monotonic() - began < 1.5


async def test_what_is_not_configured_is_named(harness, monkeypatch):
    monkeypatch.delenv("AZURE_CONTAINER_REGISTRY")
    forget_settings()
    with pytest.raises(TerminalError, match="AZURE_CONTAINER_REGISTRY"):
        type(harness.platform)()


async def test_a_subscription_that_may_not_build_has_an_error_of_its_own(harness, cloud, recorder):
    """A free or student one: no role and no other try helps, so it is not called a refusal of the app's identity."""
    spec = await harness.spec()
    context = await harness.through(spec, to="sync")
    cloud.builds_allowed = False
    with pytest.raises(TerminalError, match="free, student") as refusal:
        await harness.platform.build(spec, context, recorder.step)
    assert refusal.value.code == "builds-not-allowed"
    assert cloud.runs == {}


class AtWork:
    """How many at a time are in the functions that it stands in front of."""

    def __init__(self):
        self.now = self.most = 0

    def around(self, function):
        async def counted(*given, **named):
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                await asyncio.sleep(0.05)
                return await function(*given, **named)
            finally:
                self.now -= 1

        return counted


async def test_of_several_deployments_one_at_a_time_fills_the_temporary_storage(harness, recorders, monkeypatch):
    at_work = AtWork()
    monkeypatch.setattr(sources, "fetch", at_work.around(sources.fetch))
    monkeypatch.setattr(builds, "_start", at_work.around(builds._start))
    specs = [await harness.spec(project=f"p{number}") for number in range(3)]
    await asyncio.gather(*(harness.through(spec, recorders(), to="build") for spec in specs))
    assert at_work.most == 1


async def test_who_waits_for_the_temporary_storage_sees_a_cancel_and_the_end_of_its_box(harness, recorders):
    first, second = [await harness.spec() for _ in range(2)]
    workspace = await harness.platform.provision(first, recorders().step)
    await harness.platform._storage.acquire()
    cancelled = recorders()
    work = asyncio.create_task(harness.platform.sync(first, workspace, cancelled.step))
    await asyncio.sleep(0.1)
    cancelled.cancel.set()
    with pytest.raises(DeploymentCancelled):
        await work
    with pytest.raises(TransientError) as busy:
        await harness.platform.sync(second, workspace, recorders(seconds=0.2).step)
    assert busy.value.code == "instance-busy"
    harness.platform._storage.release()
    assert (await harness.platform.sync(second, workspace, recorders().step)).reference


@pytest.mark.parametrize(
    ("registry", "image"),
    [("", "python:3.12-slim"), ("cr.azurecr.io/base", "cr.azurecr.io/base/python:3.12-slim")],
)
async def test_an_app_is_built_on_the_registry_s_own_copy_where_there_is_one(harness, monkeypatch, registry, image):
    monkeypatch.setenv("BASE_IMAGE_REGISTRY", registry)
    forget_settings()
    context = await harness.through(await harness.spec(), to="sync")
    blob = present(await read_blob(builds.CONTEXTS, context.reference))
    with tarfile.open(fileobj=io.BytesIO(blob.data)) as tar:
        first = present(tar.extractfile("Dockerfile")).read().decode().splitlines()[0]
    assert first == f"FROM {image}"


@pytest.fixture
def isolated(cloud, monkeypatch):
    """The id of an environment of the organization acme's own."""
    environment = f"{PROVIDERS}/Microsoft.App/managedEnvironments/cae-acme"
    cloud.environments.add(environment)
    monkeypatch.setenv("ISOLATED_ENVIRONMENTS", "acme=cae-acme,other=cae-other")
    forget_settings()
    return environment


async def test_an_organization_of_its_own_environment_shares_it_with_nobody(isolated, azure_harness, recorder):
    """Its domain's certificate lies there as well."""
    harness = type(azure_harness)(azure_harness.cloud, azure_harness.endpoint)
    acme = await harness.spec(organization="acme", project="acme", custom_domain=HOST)
    others = await harness.spec(project="others")
    await harness.platform.validate(acme, recorder.step)
    for spec in (acme, others):
        await harness.through(spec, to="promote")
    harness.cloud.dns[HOST] = "CNAME"
    await harness.bound(acme, recorder.step)
    environments = {
        app.body["tags"]["manifold-project"]: app.body["properties"]["environmentId"]
        for app in harness.cloud.apps.values()
    }
    assert environments == {"acme": isolated, "others": ENVIRONMENT}
    bound = next(app for app in harness.cloud.apps.values() if app.body["tags"]["manifold-project"] == "acme")
    (domain,) = bound.body["properties"]["configuration"]["ingress"]["customDomains"]
    assert domain["certificateId"].startswith(f"{isolated}/managedCertificates/")
    await harness.platform.close()


async def test_an_environment_that_is_not_there_is_named_before_anything_is_built(isolated, azure_harness, recorder):
    harness = type(azure_harness)(azure_harness.cloud, azure_harness.endpoint)
    spec = await harness.spec(organization="other")
    with pytest.raises(TerminalError, match="ISOLATED_ENVIRONMENTS") as refusal:
        await harness.platform.validate(spec, recorder.step)
    assert refusal.value.code == "environment-not-ready"
    await harness.platform.close()


async def test_restarts_of_a_replica_are_counted_and_its_state_is_the_reason(harness, cloud):
    spec = await harness.spec()
    await harness.through(spec)
    [app] = cloud.apps.values()
    [revision] = app.revisions.values()
    revision.restarts, revision.outcome = 3, Outcome(answer=(200, ""), healthy=False)
    found = await harness.platform.health(spec)
    assert (found.healthy, found.restarts) == (False, 3)
    assert "Failed" in found.reason


async def test_a_build_is_given_the_variables_that_are_no_secrets(harness, cloud):
    reference = await secret_store().put({"VITE_API": "https://api", "TOKEN": "canary-never-in-a-build"})
    spec = await harness.spec(secrets_reference=reference, plain_variables=("VITE_API",))
    await harness.through(spec, to="build")
    [run] = cloud.runs.values()
    assert run.request["arguments"] == [{"name": "VITE_API", "value": "https://api", "isSecret": False}]


async def test_the_health_path_has_to_answer_below_400_within_its_time(azure_harness):
    spec = await azure_harness.spec(health_path="/ready", health_seconds=10)
    assert (await azure_harness.through(spec, to="release")).healthy
    missing = await azure_harness.spec(health_path="/ready", health_seconds=1)
    name = f"d{missing.deployment_id.removeprefix('dep_').lower()}"
    azure_harness.cloud.outcomes[name] = Outcome(answer=(404, "not here"))
    revision = await azure_harness.through(missing, to="release")
    assert not revision.healthy
    assert "after 1 s: it answers 404" in revision.reason


async def test_defect_the_end_of_one_deployment_stops_a_newer_one_that_is_at_work(harness, cloud, recorder):
    before, mine, newer = [await harness.spec() for _ in range(3)]
    await harness.through(before)
    await harness.through(mine, to="promote")
    await harness.through(newer, to="release")
    await harness.platform.cleanup(mine, recorder.step)
    [app] = cloud.apps.values()
    assert [one.active for one in app.revisions.values()] == [False, True, True]


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
