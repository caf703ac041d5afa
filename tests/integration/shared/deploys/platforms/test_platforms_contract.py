"""What every container platform promises, whichever it is."""

import asyncio
import time

import pytest

from shared.deploys.cancellation import DeploymentCancelled
from shared.platform.errors import TerminalError

HOST = "shop.example.com"


@pytest.fixture
def domains(harness):
    """Makes DNS lead a domain to the app, where the platform looks there."""

    def lead(host: str) -> None:
        if hasattr(harness, "cloud"):
            harness.cloud.dns[host] = "CNAME"

    return lead


async def test_a_deployment_goes_through_all_steps_and_serves(harness, recorder):
    spec = await harness.spec()
    promoted = await harness.through(spec, recorder)
    assert promoted.url.startswith("http")
    assert await harness.who_serves() == spec.deployment_id
    assert "built it" in recorder.text


async def test_what_the_app_writes_can_be_read_while_it_is_there(harness, recorder):
    spec, other = await harness.spec(), await harness.spec(project="other")
    assert await harness.platform.log_tail(spec) == ""
    await harness.through(spec)
    await harness.through(other, to="release")
    assert spec.deployment_id in await harness.platform.log_tail(spec)
    await harness.platform.rollback(other, recorder.step)
    assert await harness.platform.log_tail(other) == ""


async def test_the_log_of_an_app_is_followed_from_where_it_was_read(harness, recorder):
    spec, other = await harness.spec(), await harness.spec(project="other")
    platform = harness.platform
    assert await platform.log_from(spec, None) is None
    await harness.through(spec)
    first = await platform.log_from(spec, None)
    assert spec.deployment_id in first.text
    again = await platform.log_from(spec, first.cursor)
    assert (again.text, again.cursor) == ("", first.cursor)
    await harness.through(other, to="release")
    await platform.rollback(other, recorder.step)
    assert await platform.log_from(other, None) is None


async def test_every_step_can_be_repeated(harness, recorder):
    spec, step, platform = await harness.spec(), recorder.step, harness.platform
    await platform.validate(spec, step)
    workspace = await platform.provision(spec, step)
    assert await platform.provision(spec, step) == workspace
    context = await platform.sync(spec, workspace, step)
    assert (await platform.sync(spec, workspace, step)).reference == context.reference
    assert context.runtime
    built = await platform.build(spec, context, step)
    assert await platform.build(spec, context, step) == built
    released = await platform.release(spec, built.image, step)
    assert await platform.release(spec, built.image, step) == released
    promoted = await platform.promote(spec, released.revision, step)
    assert await platform.promote(spec, released.revision, step) == promoted
    await platform.cleanup(spec, step)
    await platform.cleanup(spec, step)
    assert await harness.who_serves() == spec.deployment_id


async def test_a_revision_has_no_traffic_before_it_is_promoted(harness, recorder):
    first, second = await harness.spec(), await harness.spec()
    await harness.through(first)
    revision = await harness.through(second, to="release")
    assert revision.healthy
    assert await harness.who_serves() == first.deployment_id
    await harness.platform.promote(second, revision, recorder.step)
    assert await harness.who_serves() == second.deployment_id


async def test_an_unhealthy_revision_is_an_answer_and_never_serves(harness, recorder):
    first, second = await harness.spec(), await harness.spec("unhealthy")
    await harness.through(first)
    revision = await harness.through(second, recorder, to="release")
    assert not revision.healthy
    assert revision.reason
    with pytest.raises(TerminalError):
        await harness.platform.promote(second, revision, recorder.step)
    await harness.platform.rollback(second, recorder.step)
    await harness.platform.cleanup(second, recorder.step)
    assert await harness.who_serves() == first.deployment_id


async def test_a_failed_build_says_so(harness, recorder):
    spec = await harness.spec("broken-build")
    with pytest.raises(TerminalError) as failure:
        await harness.through(spec, recorder, to="build")
    assert failure.value.code == "build-failed"
    assert failure.value.remedy
    assert "no good" in recorder.text


async def test_a_long_build_is_handed_back_and_gone_on_with(harness, recorders):
    spec = await harness.spec("slow-build")
    context = await harness.through(spec, to="sync")
    step = recorders(seconds=1).step
    first = await harness.platform.build(spec, context, step)
    assert (first.done, first.image) == (False, None)
    again = await harness.platform.build(spec, context, step, first.cursor)
    assert not again.done
    await harness.platform.cleanup(spec, step)


async def test_a_cancel_ends_a_build_within_a_second(harness, recorder):
    spec = await harness.spec("slow-build")
    context = await harness.through(spec, to="sync")
    work = asyncio.create_task(harness.platform.build(spec, context, recorder.step))
    await recorder.logged("building")
    began = time.monotonic()
    recorder.cancel.set()
    with pytest.raises(DeploymentCancelled):
        await work
    assert time.monotonic() - began < 1.5


async def test_a_rollback_lets_the_previous_revision_serve_again(harness, recorder):
    first, second = await harness.spec(), await harness.spec()
    await harness.through(first)
    await harness.through(second, to="promote")
    assert await harness.who_serves() == second.deployment_id
    for _ in range(2):
        await harness.platform.rollback(second, recorder.step)
        await harness.platform.cleanup(second, recorder.step)
    assert await harness.who_serves() == first.deployment_id


async def test_undoing_what_never_began_is_no_error(harness, recorder):
    spec = await harness.spec()
    await harness.platform.rollback(spec, recorder.step)
    await harness.platform.cleanup(spec, recorder.step)
    assert await harness.who_serves() is None


async def test_a_source_that_is_not_there_is_found_before_anything_begins(harness, recorder):
    spec = await harness.spec()
    missing = spec.model_copy(update={"source": spec.source.model_copy(update={"hash": "0" * 64})})
    with pytest.raises(TerminalError) as refusal:
        await harness.platform.validate(missing, recorder.step)
    assert refusal.value.code == "source-not-found"


async def test_a_cancel_before_a_step_ends_it_before_it_begins(harness, recorder):
    spec = await harness.spec()
    recorder.cancel.set()
    with pytest.raises(DeploymentCancelled):
        await harness.platform.provision(spec, recorder.step)


async def test_an_app_is_one_environment_of_a_project(harness):
    development, staging = await harness.spec(), await harness.spec(environment="staging")
    first, second = await harness.through(development), await harness.through(staging)
    assert first.url != second.url
    assert await harness.who_serves() == development.deployment_id
    assert await harness.who_serves(environment="staging") == staging.deployment_id


async def test_the_build_command_runs_after_the_dependencies(harness, recorder):
    files = {"requirements.txt": "", "app.py": "", "build.py": "print()"}
    spec = await harness.custom(files, build_command=("python", "build.py"))
    assert await harness.commands(spec, recorder) == ["python -m pip install -r requirements.txt", "python build.py"]


@pytest.mark.parametrize(
    ("files", "code"), [({"readme": "nothing to run"}, "unknown-kind"), ({"package.json": "{}"}, "no-start-command")]
)
async def test_a_source_that_cannot_be_started_is_refused_before_it_is_built(harness, files, code):
    spec = await harness.custom(files, start_command=())
    with pytest.raises(TerminalError) as refusal:
        await harness.through(spec, to="sync")
    assert refusal.value.code == code
    assert refusal.value.remedy


async def test_a_domain_that_another_app_has_is_refused_before_anything_is_built(harness, recorder, domains):
    first = await harness.spec(custom_domain=HOST)
    domains(HOST)
    await harness.through(first, to="promote")
    await harness.bound(first, recorder.step)
    second = await harness.spec(project="other", custom_domain=HOST)
    with pytest.raises(TerminalError) as refused:
        await harness.platform.validate(second, recorder.step)
    assert refused.value.code == "domain-in-use"
    await harness.platform.validate(first, recorder.step)
    await harness.platform.release_domain(second, HOST)  # it is not the other app's to release
    with pytest.raises(TerminalError):
        await harness.platform.validate(second, recorder.step)
    await harness.platform.release_domain(first, HOST)
    await harness.platform.validate(second, recorder.step)
    await harness.through(second, to="promote")
    assert HOST in (await harness.bound(second, recorder.step)).url


async def test_an_app_that_runs_is_healthy_and_one_that_does_not_has_no_health(harness, recorder):
    spec = await harness.spec()
    assert await harness.platform.health(spec) is None
    await harness.through(spec)
    found = await harness.platform.health(spec)
    assert (found.healthy, found.restarts, found.reason) == (True, 0, None)
    later = await harness.spec()
    await harness.through(later)
    assert await harness.platform.health(spec) is None


async def test_an_app_is_removed_with_its_domain_and_nothing_else_is(harness, recorder, domains):
    mine, staging, theirs = (
        await harness.spec(custom_domain=HOST),
        await harness.spec(environment="staging"),
        await harness.spec(project="other"),
    )
    domains(HOST)
    await harness.through(mine)
    await harness.bound(mine, recorder.step)
    await harness.through(staging)
    await harness.through(theirs)
    for _ in range(2):
        await harness.platform.remove(mine, recorder.step)
        assert await harness.who_serves() is None
        assert await harness.platform.health(mine) is None
        assert await harness.who_serves(environment="staging") == staging.deployment_id
        assert await harness.who_serves("other") == theirs.deployment_id
    other = await harness.spec(project="other", custom_domain=HOST)
    await harness.platform.validate(other, recorder.step)
    anew = await harness.spec()
    await harness.through(anew)
    assert await harness.who_serves() == anew.deployment_id
