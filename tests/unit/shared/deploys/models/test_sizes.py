"""How large apps are."""

from __future__ import annotations

import pytest

from shared.deploys.models import SCALES, ContainerSize
from tests.unit.shared.deploys.models.requested import deployment


@pytest.mark.parametrize(
    ("environment", "least", "most", "cpu", "memory"),
    [("development", 0, 2, "0.5", "1Gi"), ("staging", 1, 5, "1", "2Gi"), ("production", 2, 10, "2", "4Gi")],
)
def test_each_environment_has_its_scale(environment, least, most, cpu, memory) -> None:
    scale = deployment(environment=environment, containerSize=None).spec().scale
    assert (scale.min_replicas, scale.max_replicas, scale.size.cpu, scale.size.memory) == (least, most, cpu, memory)
    assert (scale.requests, scale.cpu_percent) == (100, 70)
    own = deployment(environment=environment).spec().scale
    assert own == SCALES[environment].model_copy(update={"size": ContainerSize(cpu="1", memory="2Gi")})
