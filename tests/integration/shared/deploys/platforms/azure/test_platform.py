"""What holds on Azure in particular: nothing is dropped, nothing is done twice, and signed addresses stay secret."""

import io
import logging
import tarfile

import pytest

from local.arm.cloud import ENVIRONMENT, PROVIDERS
from shared.deploys.platforms.azure import builds
from shared.deploys.platforms.azure.names import revision_name
from shared.platform.errors import TerminalError
from shared.platform.stores import blob_files
from shared.platform.stores.blobs import read_blob
from tests.fresh_settings import forget_settings
from tests.integration.shared.deploys.platforms.azure.deployed import CANARY, app_of, spec_with_secret
from tests.present import present

HOST = "shop.example.com"


async def test_after_cleanup_only_what_serves_is_left(harness, cloud):
    first, second = await harness.spec(), await harness.spec()
    await harness.through(first)
    await harness.through(second)
    active = [name for name, one in app_of(cloud).revisions.items() if one.active]
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
    assert not app_of(cloud).revisions[revision_name(second)].active
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
    assert list(app_of(cloud).revisions) == [revision_name(spec)]
    assert await harness.who_serves() == spec.deployment_id


async def test_no_secret_and_no_signed_address_is_logged_or_handed_back(harness, cloud, recorders, caplog):
    caplog.set_level(logging.DEBUG)
    spec, recorder = await spec_with_secret(harness), recorders(seconds=0.1)
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


async def test_what_is_not_configured_is_named(harness, monkeypatch):
    monkeypatch.delenv("AZURE_CONTAINER_REGISTRY")
    forget_settings()
    with pytest.raises(TerminalError, match="AZURE_CONTAINER_REGISTRY"):
        type(harness.platform)()


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


async def test_defect_the_end_of_one_deployment_stops_a_newer_one_that_is_at_work(harness, cloud, recorder):
    before, mine, newer = [await harness.spec() for _ in range(3)]
    await harness.through(before)
    await harness.through(mine, to="promote")
    await harness.through(newer, to="release")
    await harness.platform.cleanup(mine, recorder.step)
    [app] = cloud.apps.values()
    assert [one.active for one in app.revisions.values()] == [False, True, True]
