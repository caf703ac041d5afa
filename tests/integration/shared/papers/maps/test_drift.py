"""The papers outgrow their map, and it says so."""

from shared.papers.maps import drift, versions
from tests.integration.shared.papers.maps.conftest import about, some


async def test_drift_says_when_another_fit_is_due(maps):
    await maps.add(some(60))
    await maps.make()
    assert not (await versions.current()).drift.due
    strange = [
        about(n, "learning", abstract=f"quux{n} zork{n} blorb{n} " * 9, title=f"frob{n}") for n in range(3000, 3100)
    ]
    await maps.add(strange)
    await maps.place()
    found = (await versions.current()).drift
    assert found.due
    assert "100 papers came since" in found.because[0]
    assert "lie far from what it was fitted to" in found.because[1]
    assert drift.FAR_THEN == 0.05
