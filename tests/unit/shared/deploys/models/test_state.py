"""The state document."""

from __future__ import annotations

import json

from shared.deploys.models import Deployment, document
from tests.unit.shared.deploys.models.requested import deployment


def test_a_state_document_has_no_place_for_variables() -> None:
    assert not {"env_variables"} & set(Deployment.model_fields)
    assert "secret123" not in json.dumps(document(deployment()))
