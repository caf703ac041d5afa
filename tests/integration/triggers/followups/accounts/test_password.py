"""The routes of a new password: a page that is safe to open, and an answer that says nothing of who has an account."""

from urllib.parse import urlencode

from tests.integration.shared.followups.passwords import ADDRESS, ask, page
from triggers.followups.accounts import password


async def test_what_is_in_the_link_is_escaped_on_the_page(web):
    _, text = await page("GET", query=urlencode({"token": '"><script>'}))
    assert "<script>" not in text
    assert (await page("GET"))[0] == 422
    assert (await page("POST", form={}))[0] == 422


async def test_an_answer_takes_its_time_for_every_address(web, monkeypatch):
    from time import monotonic

    monkeypatch.setattr(password, "ANSWER_SECONDS", 0.5)
    await web.register(ADDRESS)
    for address in (ADDRESS, "nobody@example.com"):
        began = monotonic()
        await ask(web, address)
        assert 0.5 <= monotonic() - began < 1.5
