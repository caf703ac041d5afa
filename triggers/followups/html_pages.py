"""Pages that a link of a mail opens: a form, or a sentence."""

from __future__ import annotations

import azure.functions as func

from shared.platform.http.answers import HEADERS

PAGE_HEADERS = {
    **HEADERS,
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def html_page(text: str) -> func.HttpResponse:
    """The page. It loads nothing, is kept by no cache, and its address, which holds a key, is passed on to nobody."""
    return func.HttpResponse(text, headers=PAGE_HEADERS, mimetype="text/html", charset="utf-8")
