"""What is known of a project decides who may work on it: the deployments of one task hub at a time."""

from __future__ import annotations

from uuid import UUID, uuid4

from shared.deploys.documents import projects, store
from shared.deploys.models import Deployment, DeploymentStatus
from tests.present import present

OURS, THEIRS = uuid4(), uuid4()


async def claimed(new, hub: UUID, **changes) -> Deployment:
    return await store.create(new(status=DeploymentStatus.QUEUED, claimed_by="x", hub=hub, **changes))


async def end(deployment: Deployment) -> None:
    await store.change(
        deployment.id,
        deployment.organization_id,
        lambda one, now: one.model_copy(update={"status": DeploymentStatus.COMPLETED, "completed_at": now}),
    )


async def test_defect_two_task_hubs_work_on_one_project_at_once(new, state) -> None:
    first, second = await claimed(new, OURS), await claimed(new, OURS)
    foreign = await claimed(new, THEIRS)
    assert await projects.take_turn(first, OURS)
    assert await projects.take_turn(second, OURS)  # which of the two works first decide the hub's own slots
    assert not await projects.take_turn(foreign, THEIRS)
    assert await projects.take_turn(first, OURS)
    await end(first)
    assert not await projects.take_turn(foreign, THEIRS)
    await end(second)
    assert await projects.take_turn(foreign, THEIRS)
    late = await claimed(new, OURS)
    assert not await projects.take_turn(late, OURS)
    await store.delete(foreign)
    assert await projects.take_turn(late, OURS)
    assert present(await projects.find(state, "shop")).working == {late.id: OURS}


async def test_other_projects_are_not_waited_for(new) -> None:
    assert await projects.take_turn(await claimed(new, OURS), OURS)
    assert await projects.take_turn(await claimed(new, THEIRS, project_id="page"), THEIRS)
