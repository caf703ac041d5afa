"""A run is judged by what it would change before it changes anything, and held if that is out of the ordinary."""

from uuid import uuid4

import pytest

from activities.diamonds import runs as steps
from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.pricing import failed_rows
from shared.diamonds.pricing import review as reviews
from shared.diamonds.pricing.consolidation import consolidate
from shared.diamonds.pricing.models import ConsolidateRows
from shared.diamonds.runs import difference, lifecycle, reports, retries
from shared.diamonds.runs.models import EndRun, RunRef, RunStatus
from shared.platform.errors import Conflict
from tests.fresh_settings import forget_settings
from tests.present import present

STONES = 40
OFFER = "select supplier_stone_id, price_model_price, status from diamonds.diamonds order by 1"


@pytest.fixture(autouse=True)
def _database(migrated, monkeypatch):
    monkeypatch.setenv("DELETE_SHARE_LIMIT", "0.2")
    monkeypatch.setattr(reviews, "BATCH_ROWS", 7)
    forget_settings()


async def read(diamonds, stones, run_type="full"):
    """A run that has read these stones, each under the price range that holds it."""
    run = await diamonds.begin(0, 1_000, 2**31 - 1, run_type=run_type)
    offers = diamonds.Shop()
    offers.offer(*stones)
    for number in range(2):
        await copy_pages(offers, run.task(number))
    return run.plan


async def end(plan, verdict):
    """As the orchestration does."""
    if verdict.decision != "hold":
        task = ConsolidateRows(run_id=plan.run_id, feed=plan.feed, worker="w", seconds=60)
        await consolidate(task, NIVODA, "cents")
        return await steps.end_run(EndRun(run_id=plan.run_id, status=RunStatus.COMPLETED))
    return await steps.end_run(EndRun(run_id=plan.run_id, status=RunStatus.HELD))


def stones(diamonds, price=lambda n: 500 + n, number=STONES, **certificate):
    return [diamonds.stone(f"s{n:03}", price=price(n), **certificate) for n in range(number)]


@pytest.fixture
async def shown(diamonds):
    """The diamonds on offer after a first run."""
    plan = await read(diamonds, stones(diamonds))
    assert (await end(plan, await steps.judge_run(RunRef(run_id=plan.run_id)))).status is RunStatus.COMPLETED
    return await diamonds.fetch(OFFER)


async def judged(plan):
    return await steps.judge_run(RunRef(run_id=plan.run_id))


async def test_what_a_run_changes_is_kept_with_it(diamonds, shown):
    changed = stones(diamonds, lambda n: 500 + n + (3 if n < 4 else -2 if n == 5 else 0))[:-2]
    changed.append(diamonds.stone("new", price=700))
    changed[30].payload["diamond"]["certificate"]["carats"] = "none"
    plan = await read(diamonds, changed)
    verdict = await judged(plan)
    assert (verdict.decision, verdict.complete) == ("go", True)
    found = present(await difference.read(plan.run_id)).model_dump(exclude={"judged_at", "worst"})
    assert found == {
        "rows": 7, "failed": 1, "contradicting": 0, "new": 1, "dearer": 4, "cheaper": 1, "jumped": 0, "unchanged": 0,
        "gone": 2, "offered": STONES, "listed": STONES - 1, "waiting": 0, "lost": 0,
        "back_on_sale": 0, "up": 12.0, "down": 2.0,
    }  # fmt: skip
    first, *_ = present(await difference.read(plan.run_id)).worst
    assert (first.supplier_stone_id, first.before, first.after) == ("s000", 500, 503)
    assert await diamonds.fetch(OFFER) == shown, "it was counted without changing anything"


def with_a_renamed_field(diamonds):
    renamed = stones(diamonds)
    for stone in renamed:
        stone.payload["diamond"]["certificate"]["weight"] = stone.payload["diamond"]["certificate"].pop("carats")
    return renamed


def without(field):
    """All without what one field said."""

    def renamed(diamonds):
        found = stones(diamonds)
        for stone in found:
            for part in (stone.payload["diamond"], stone.payload["diamond"]["certificate"]):
                if field in part:
                    part[f"{field}_now"] = part.pop(field)
        return found

    return renamed


CASES = {
    "prices-jumped": lambda diamonds: stones(diamonds, lambda n: 2 * (500 + n) + 1),
    "rows-failed": with_a_renamed_field,
    "diamonds-vanished": lambda diamonds: stones(diamonds)[: STONES - 10],
}


@pytest.mark.parametrize("field", ["availability", "labgrown", "certNumber"])
async def test_a_field_that_was_renamed_and_fails_no_row_holds_the_run(diamonds, shown, field):
    plan = await read(diamonds, without(field)(diamonds))
    verdict = await judged(plan)
    assert (verdict.decision, (await end(plan, verdict)).error_code) == ("hold", "words-lost")
    assert present(await difference.read(plan.run_id)).lost == STONES


async def test_a_run_that_brings_much_back_on_sale_is_held(diamonds):
    sold = stones(diamonds)
    for stone in sold[:12]:
        stone.payload["diamond"]["availability"] = "SOLD"
    first = await read(diamonds, sold)
    await end(first, await judged(first))
    plan = await read(diamonds, stones(diamonds))
    verdict = await judged(plan)
    assert (verdict.decision, (await end(plan, verdict)).error_code) == ("hold", "diamonds-return")
    assert present(await difference.read(plan.run_id)).back_on_sale == 12


@pytest.mark.parametrize("code", CASES)
async def test_a_run_that_would_do_harm_is_held_before_it_does(diamonds, shown, mails, code):
    plan = await read(diamonds, CASES[code](diamonds))
    verdict = await judged(plan)
    assert (verdict.decision, verdict.complete) == ("hold", True)
    held = await end(plan, verdict)
    assert (held.status, held.error_code, held.watermark_after) == (RunStatus.HELD, code, None)
    assert await diamonds.fetch(OFFER) == shown
    for _ in range(2):
        await steps.announce(RunRef(run_id=plan.run_id))
    (mail,) = mails.mails(10)
    assert mail.subject == "[Manifold] nivoda: the run is held, nothing was changed"
    assert code in mail.text


async def test_prices_in_the_other_unit_contradict_the_range_that_they_were_asked_by(diamonds):
    """Also in the first run of a feed, when there is nothing to compare them with."""
    sent = stones(diamonds)
    plan = await read(diamonds, sent)
    await diamonds.fetch(
        "update diamonds.raw_diamonds set payload = jsonb_set(payload, '{price}', to_jsonb((payload ->> 'price')::int"
        " * 100)) returning 1"
    )
    verdict = await judged(plan)
    assert (verdict.decision, present(await difference.read(plan.run_id)).contradicting) == ("hold", STONES)
    assert (await end(plan, verdict)).error_code == "prices-contradict"


@pytest.mark.parametrize("known", [True, False], ids=["on offer", "new"])
async def test_a_few_prices_that_contradict_the_query_fail_alone(diamonds, known):
    """Three of forty hold no run, and must not be sold at a hundredth of what they cost."""
    if known:
        before = await read(diamonds, stones(diamonds))
        await end(before, await judged(before))
    plan = await read(diamonds, stones(diamonds, lambda n: 501 + n))
    odd = ["s003", "s004", "s017"]
    await diamonds.fetch(
        "update diamonds.raw_diamonds set payload = jsonb_set(payload, '{price}', to_jsonb((payload ->> 'price')::int"
        " * 100)) where supplier_stone_id = any(%s) returning 1",
        odd,
    )
    for _ in range(2):  # an activity may be delivered twice
        assert (await judged(plan)).decision == "go"
        found = present(await difference.read(plan.run_id))
        assert (found.rows, found.contradicting) == (STONES, len(odd))
    summary = await end(plan, await judged(plan))
    assert (summary.consolidated, summary.failed) == (STONES - len(odd), len(odd))
    reasons = "select supplier_stone_id, failure_reason from diamonds.raw_diamonds where failure_reason is not null"
    assert sorted(await diamonds.fetch(reasons)) == [(one, failed_rows.CONTRADICTING) for one in odd]
    offer = "select supplier_stone_id, price_model_price, availability from diamonds.diamonds where supplier_stone_id"
    assert sorted(await diamonds.fetch(f"{offer} = any(%s)", odd)) == (
        [(one, 500 + int(one[1:]), "unavailable") for one in odd] if known else []
    )


async def test_two_runs_that_are_held_on_one_day_are_two_mails(diamonds, shown, mails):
    for factor in (3, 5):
        plan = await read(diamonds, stones(diamonds, lambda n, factor=factor: factor * (500 + n)))
        await end(plan, await judged(plan))
        await steps.announce(RunRef(run_id=plan.run_id))
    assert len(mails.mails(10)) == 2


async def held_run(diamonds):
    plan = await read(diamonds, stones(diamonds, lambda n: 3 * (500 + n)))
    await end(plan, await judged(plan))
    return plan


async def test_no_other_run_prices_the_rows_of_a_held_one(diamonds, shown):
    held = await held_run(diamonds)
    other = await read(diamonds, [diamonds.stone("other", price=900)], run_type="incremental")
    assert (await judged(other)).decision == "go"
    assert present(await difference.read(other.run_id)).rows == 1
    await end(other, await judged(other))
    offered = await diamonds.fetch(OFFER)
    assert [row for row in offered if row[0] != "other"] == shown
    assert len(offered) == STONES + 1
    assert (await reports.summary(held.run_id)).pending == STONES


async def test_a_person_releases_it(diamonds, shown):
    held = await held_run(diamonds)
    await retries.resume_run(held.run_id, uuid4(), force=True)
    verdict = await judged(held)
    assert (verdict.decision, verdict.complete) == ("go", True)
    assert (await end(held, verdict)).consolidated == STONES
    assert [row[1] for row in await diamonds.fetch(OFFER)] == [3 * price for _, price, _ in shown]


async def test_without_force_it_is_judged_again(diamonds, shown):
    held = await held_run(diamonds)
    await retries.resume_run(held.run_id, uuid4())
    assert (await judged(held)).decision == "hold"


async def test_a_person_discards_it(diamonds, shown):
    held = await held_run(diamonds)
    assert await lifecycle.cancel_run(held.run_id) is RunStatus.CANCELLED
    reasons = dict(await diamonds.fetch("select failure_reason, count(*) from diamonds.raw_diamonds group by 1"))
    assert reasons == {"discarded: a person discarded the run that brought it": STONES}
    plan = await read(diamonds, stones(diamonds, lambda n: 501 + n))
    assert (await end(plan, await judged(plan))).consolidated == STONES
    assert [row[1] for row in await diamonds.fetch(OFFER)] == [price + 1 for _, price, _ in shown]


@pytest.mark.parametrize("discarded", [False, True])
async def test_a_run_that_lists_what_an_earlier_one_was_held_for_is_held_too(diamonds, shown, mails, discarded):
    """Nobody looked at the first mail, or the supplier sends the same once more after the discard."""
    first = await held_run(diamonds)
    if discarded:
        await lifecycle.cancel_run(first.run_id)
    again = await read(diamonds, stones(diamonds, lambda n: 3 * (500 + n)))
    verdict = await judged(again)
    held = await end(again, verdict)
    assert (verdict.decision, held.error_code) == ("hold", "rows-withheld")
    assert present(await difference.read(again.run_id)).waiting == STONES
    assert f"{STONES} of {STONES} listed diamonds wait for a held run or were discarded (100%)" in present(held.error)
    await steps.announce(RunRef(run_id=again.run_id))
    assert "rows-withheld" in mails.mails(10)[-1].text
    assert await diamonds.fetch(OFFER) == shown
    right = await read(diamonds, stones(diamonds, lambda n: 501 + n))
    assert (await end(right, await judged(right))).consolidated == STONES


async def test_what_was_discarded_is_judged_once_more_where_a_person_asks(diamonds, shown):
    await lifecycle.cancel_run((await held_run(diamonds)).run_id)
    assert await failed_rows.requeue("nivoda") == 0
    assert await failed_rows.requeue("nivoda", refused=True) == STONES
    again = await read(diamonds, stones(diamonds, lambda n: 3 * (500 + n)))
    assert (await end(again, await judged(again))).error_code == "prices-jumped"


async def test_a_released_run_may_delete_what_vanished(diamonds, shown):
    plan = await read(diamonds, stones(diamonds)[: STONES - 10])
    await end(plan, await judged(plan))
    await retries.resume_run(plan.run_id, uuid4(), force=True)
    await judged(plan)
    assert (await steps.mark_missing(RunRef(run_id=plan.run_id))).deleted
    assert [row[2] for row in await diamonds.fetch(OFFER)].count("deleted") == 10


async def test_a_run_that_is_cancelled_while_it_is_judged_ends(diamonds, shown):
    plan = await read(diamonds, stones(diamonds))
    await lifecycle.cancel_run(plan.run_id)
    with pytest.raises(Conflict, match="cancelled"):
        await judged(plan)
