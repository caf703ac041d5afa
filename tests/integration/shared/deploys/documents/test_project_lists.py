"""Projects are listed with the last changed first, page by page, and organizations by their names."""

from __future__ import annotations

import pytest

from shared.deploys.documents import project_lists, projects
from shared.platform.errors import UnusableCursor

NAMES = ["a", "b", "c", "d", "e"]


async def listed(organization: str | None, limit: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    before: str | None = None
    for _ in range(100):
        page, before = await project_lists.page(organization, limit=limit, before=before)
        assert len(page) <= limit
        found += [(one.organization_id, one.project_id) for one in page]
        if before is None:
            return found
    raise AssertionError("The pages do not end.")


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
async def test_defect_the_last_changed_project_comes_first(state, limit: int) -> None:
    for name in NAMES:
        await projects.update(state, name, source_hash="a" * 64)
    await projects.update(state, "b", source_hash="b" * 64)
    assert await listed(state, limit) == [(state, name) for name in ("b", "e", "d", "c", "a")]


@pytest.mark.parametrize("limit", [2, 100])
async def test_the_projects_of_all_organizations_are_one_list(state, limit: int) -> None:
    for number, name in enumerate(NAMES):
        await projects.update(f"{state}-{number % 2}", name, source_hash="a" * 64)
    every = await listed(None, limit)
    assert len(every) == len(set(every))
    own = [(organization, name) for organization, name in every if organization.startswith(f"{state}-")]
    assert own == [(f"{state}-{number % 2}", name) for number, name in reversed(list(enumerate(NAMES)))]


async def test_a_place_that_is_no_time_is_refused(state) -> None:
    with pytest.raises(UnusableCursor):
        await project_lists.page(state, limit=1, before="yesterday")


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_organizations_are_listed_by_their_names_each_once(state, limit: int) -> None:
    for name in ("y", "x", "x", "z"):
        await projects.update(f"{state}-{name}", f"shop-{name}", source_hash="a" * 64)
    found: list[str] = []
    after: str | None = None
    while page := await project_lists.organizations(limit=limit, after=after):
        found += page[0]
        if (after := page[1]) is None:
            break
    assert found == sorted(set(found))
    assert [one for one in found if one.startswith(f"{state}-")] == [f"{state}-{name}" for name in "xyz"]
