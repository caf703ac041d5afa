"""The inbox of the sink as a person looks at it: a list, and each mail with its headers, its HTML and its text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.smtp.sink import Mail

# A mail's HTML is a stranger's: it stands in a frame that runs nothing, and nothing is loaded from elsewhere.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = (
    "body{font:16px system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #ccc;vertical-align:top;overflow-wrap:anywhere}"
    "iframe{width:100%;height:24rem;border:1px solid #ccc}pre{white-space:pre-wrap}"
)


def inbox_page(mails: Iterable[Mail]) -> HTMLResponse:
    """All mails, the newest first."""
    rows = "".join(
        f"<tr><td>{mail.received:%Y-%m-%d %H:%M:%S}</td><td>{escape(', '.join(mail.recipients))}</td>"
        f'<td><a href="/mails/{escape(mail.id)}">{escape(mail.subject.strip() or "(no subject)")}</a></td></tr>'
        for mail in sorted(mails, key=lambda mail: (mail.received, mail.id), reverse=True)
    )
    empty = "<p>No mail has come yet.</p>" if not rows else ""
    return _page("Mails", f"<table><tr><th>Came (UTC)<th>To<th>Subject</tr>{rows}</table>{empty}")


def mail_page(mail: Mail) -> HTMLResponse:
    """One mail."""
    headers = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in {"MAIL FROM": mail.sender, "RCPT TO": ", ".join(mail.recipients), **mail.headers}.items()
    )
    html = f'<h2>As HTML</h2><iframe sandbox srcdoc="{escape(mail.html)}"></iframe>' if mail.html else ""
    text = f"<h2>As text</h2><pre>{escape(mail.text)}</pre>"
    source = f'<p><a href="/">All mails</a> · <a href="/messages/{escape(mail.id)}">Source</a></p>'
    return _page(
        mail.subject.strip() or "(no subject)", f"{source}{html}{text}<h2>Headers</h2><table>{headers}</table>"
    )


def _page(title: str, content: str) -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1>{content}",
        headers={"Content-Security-Policy": _POLICY},
    )
