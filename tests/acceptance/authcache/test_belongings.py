"""Properties and documents over HTTP, on two hosts, as a browser sends them."""

from __future__ import annotations

from typing import Any

import httpx

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 2000


async def test_what_is_shared_is_seen_on_another_host_until_it_is_revoked(running: Any) -> None:
    async with running(2, AUTHCACHE_REFRESH_SECONDS="30") as app:
        here, there = app.hosts
        ann, bob = app.verified(here, "ann@example.com"), app.verified(there, "bob@example.com")
        house = here.ask("POST", "/properties", {"display_name": "House"}, user=ann, status=201)
        share = here.ask("POST", "/users/me/shares", {"shared_email": "bob@example.com"}, user=ann, status=201)
        async with httpx.AsyncClient(base_url=f"{here.host.url}/api/v1", timeout=60) as browser:
            sent = await browser.post(
                "/documents",
                headers={"Authorization": f"Bearer {ann.token}"},
                data={"document_type": "receipt", "property_id": house["id"]},
                files={"file": ("receipt.pdf", PDF, "application/pdf")},
            )
            assert sent.status_code == 201, sent.text
            bad = await browser.post(
                "/documents",
                headers={"Authorization": f"Bearer {ann.token}"},
                files={"file": ("receipt.pdf", b"<html>", "application/pdf")},
            )
            assert (bad.status_code, bad.json()["code"]) == (400, "unusable-file")
        ann.lsn = int(sent.headers["x-lsn"])
        found = there.ask("GET", "/properties", user=bob, lsn=ann.lsn)
        assert [(one["display_name"], one["access"]) for one in found["items"]] == [("House", "read")]
        assert (found["total"], found["page"], found["limit"]) == (1, 1, 20)
        there.ask("PUT", f"/properties/{house['id']}", {"display_name": "Mine"}, user=bob, status=403)
        [document] = there.ask("GET", "/documents", user=bob)["items"]
        link = there.ask("GET", f"/documents/{document['id']}/link", user=bob)["url"]
        assert link.startswith(there.host.url)
        async with httpx.AsyncClient(follow_redirects=True, timeout=60) as browser:
            assert (await browser.get(link)).content == PDF
            here.ask("DELETE", f"/users/me/shares/{share['id']}", user=ann, status=204)
            assert there.ask("GET", "/properties", user=bob, lsn=ann.lsn)["items"] == []
            there.ask("GET", f"/documents/{document['id']}/link", user=bob, status=404)
            assert (await browser.get(link)).status_code == 404
