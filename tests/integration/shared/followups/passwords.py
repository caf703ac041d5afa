"""An agent that asks for a new password, and the page that the link opens."""

import re
from urllib.parse import urlencode, urlsplit

import azure.functions as func

from tests.present import present
from triggers.followups.accounts import password

ADDRESS, NEW = "alice@example.com", "an entirely new one"


async def page(method, *, query="", form=None):
    [operation] = [
        one for one in password.routes.operations if (one.method, one.route) == (method, "/api/agents/password")
    ]
    body = urlencode(form or {}).encode()
    url = f"https://app.example.com/api/agents/password?{query}"
    answer = await operation.answer(func.HttpRequest(method=method, url=url, headers={}, body=body))
    return answer.status_code, answer.get_body().decode()


async def ask(web, address=ADDRESS):
    return await web("POST", "/api/agents/password-mail", {"email": address})


def link(mails):
    """The query of the link in the newest mail."""
    found = present(re.search(r"https://\S+", mails.mails(99)[-1].text))
    return urlsplit(found[0]).query
