"""The activities of a deployment on a platform that does what the test says: state, log, cancel, secrets."""

from __future__ import annotations

import json
import traceback

import pytest

from activities.deploys.outcome import claim_deployment, clean_up, end_deployment, settle_deployment
from activities.deploys.steps import build_image, release_revision
from shared.deploys.documents import store
from shared.deploys.models import DeploymentStatus, Step
from shared.deploys.platforms.base import BuildContext, ReleaseProgress, Revision
from shared.deploys.requests import answers
from shared.deploys.running import logs
from shared.deploys.running.steps import Claim, ContextReady, End, ImageReady
from shared.platform.durable.failures import AttemptFailed
from shared.platform.durable.handles import Envelope
from shared.platform.errors import TerminalError, TransientError
from tests.integration.activities.deploys.worked_on import CANARY, load, tasks
from tests.present import present


async def test_each_step_is_written_down_with_its_duration(platform, ref) -> None:
    await claim_deployment(Claim(**ref.model_dump(), execution="e"))
    for step, task in tasks(ref).values():
        await step(task)
    await settle_deployment(ref)
    await clean_up(ref)
    ended = await end_deployment(End(**ref.model_dump(), status=DeploymentStatus.COMPLETED))
    found = await load(ref)
    assert ended.status is found.status is DeploymentStatus.COMPLETED
    assert [one.name for one in found.steps] == list(Step)
    assert all(one.success and one.ended_at and one.ended_at >= one.started_at for one in found.steps)
    assert (found.progress, found.container_app_url) == (100, "http://app")
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert [f"[{step}]" in text for step in Step] == [True] * 6


async def test_an_unhealthy_revision_is_refused_and_the_log_says_why(platform, ref) -> None:
    async def release(*_):
        return ReleaseProgress(done=True, revision=Revision(name="r", url="u", healthy=False, reason="exit code 1"))

    platform.does["release"] = release
    with pytest.raises(TerminalError) as refused:
        await release_revision(ImageReady(**ref.model_dump(), image="i"))
    assert refused.value.code == "revision-unhealthy"
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert "exit code 1" in text
    assert "what served before, serves on" in text


@pytest.mark.parametrize("error", [TerminalError, TransientError, RuntimeError, OSError])
async def test_variables_reach_neither_history_nor_state_nor_log(platform, ref, error, caplog) -> None:
    async def build(_, step) -> None:
        await step.log(f"compiling with {CANARY}")
        raise error(f"cannot use {CANARY}")

    platform.does["build"] = build
    task = ContextReady(**ref.model_dump(), context="c")
    try:
        answer = await build_image.answer(task.model_dump_json())
        failure = present(Envelope.model_validate_json(answer).failure)
        assert "cannot use ***" in failure.message
    except AttemptFailed as raised:
        answer = "".join(traceback.format_exception(raised))
        assert ("was not expected" in answer) == (error is not TransientError)
    await end_deployment(
        End(**ref.model_dump(), status=DeploymentStatus.FAILED, code="x", message=f"because of {CANARY}")
    )
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    found = present(await store.DEPLOYMENTS.find(ref.deployment_id, ref.organization_id))
    assert "compiling with ***" in text
    assert present(found["error"])["message"] == "because of ***"
    lines = str([vars(line) for line in caplog.records])
    everything = answer + text + json.dumps(found) + caplog.text + lines
    assert CANARY not in everything
    if error in (RuntimeError, OSError):  # the operator's log alone says what it was
        assert "cannot use ***" in lines
        assert error.__name__ not in answer + text


async def test_what_the_source_turned_out_to_be_is_noted(platform, ref) -> None:
    note = "The source asks for Node 18, which is not there (20, 22)."

    async def work(_spec, _step) -> BuildContext:
        return BuildContext(reference="c", commit="a" * 40, runtime="Node 20", notes=(note,))

    platform.does["sync"] = work
    step, task = tasks(ref)["sync"]
    await step(task)
    shown = answers.state(await load(ref))
    assert (shown.runtime, shown.notes) == ("Node 20", [note])
    platform.does.clear()
    await step(task)  # the source is there already: what is known of it stays
    assert ((await load(ref)).runtime, (await load(ref)).fetched_commit) == ("Node 20", "a" * 40)
