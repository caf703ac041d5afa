"""How large an app is and how far it grows."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, model_validator

from shared.deploys.models.fields import Environment, Shape, Wire, refusal
from shared.platform.models import LazyModel


class ContainerSize(Wire):
    """CPU cores and memory of one replica, as Container Apps offers them: 2 Gi for each core."""

    model_config = ConfigDict(frozen=True)
    cpu: Annotated[str, Shape(r"[0-4](\.(25|5|50|75|0|00))?", 'a text: "0.25" to "4", in steps of 0.25')] = Field(
        description="Cores"
    )
    memory: Annotated[str, Shape(r"[0-8](\.[05]0?)?Gi", 'twice as many Gi as there are cores, as "2Gi" for 1')]

    @model_validator(mode="after")
    def _offered(self) -> Self:
        cores = float(self.cpu)
        if not 0.25 <= cores <= 4 or float(self.memory.removesuffix("Gi")) != 2 * cores:  # noqa: PLR2004 - the offer
            raise refusal("cpu has to be 0.25 to 4 in steps of 0.25, and memory twice as many Gi, as in 1 and 2Gi")
        return self


class Scale(LazyModel):
    """How large an app is and how far it grows: one replica more for each `requests` at once or over `cpu_percent`."""

    model_config = ConfigDict(frozen=True)
    min_replicas: int
    max_replicas: int
    size: ContainerSize
    requests: int = 100
    cpu_percent: int = 70


SCALES: Final[dict[Environment, Scale]] = {
    "development": Scale.model_construct(
        min_replicas=0, max_replicas=2, size=ContainerSize.model_construct(cpu="0.5", memory="1Gi")
    ),
    "staging": Scale.model_construct(
        min_replicas=1, max_replicas=5, size=ContainerSize.model_construct(cpu="1", memory="2Gi")
    ),
    "production": Scale.model_construct(
        min_replicas=2, max_replicas=10, size=ContainerSize.model_construct(cpu="2", memory="4Gi")
    ),
}
