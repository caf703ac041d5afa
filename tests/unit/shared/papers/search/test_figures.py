"""Whether papers get their vectors, as the health of the enrichment says it."""

import pytest

from shared.papers.embedding.models import ModelVersion
from shared.papers.search.figures import judged


def version(**figures):
    return ModelVersion(
        model_id=1, name="static", version="l2-supercat-256", dimensions=256, state="current", **figures
    )


@pytest.mark.parametrize(("papers_wait", "status"), [(True, "red"), (False, "green")])
def test_without_a_version_papers_that_wait_are_an_outage(papers_wait, status):
    found = judged(None, papers_wait=papers_wait)
    assert (found.status, found.waiting, found.failed, found.model) == (status, 0, 0, None)


@pytest.mark.parametrize(("waiting", "failed", "status"), [(0, 0, "green"), (3, 0, "yellow"), (0, 2, "yellow")])
def test_a_version_is_yellow_while_papers_wait_or_failed(waiting, failed, status):
    found = judged(version(waiting=waiting, failed=failed), papers_wait=False)
    assert (found.status, found.waiting, found.failed) == (status, waiting, failed)
    assert found.model == "static l2-supercat-256"
