"""A caller of the replaced system, on the real host: the same requests, and answers of the shape that it knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.followups.conftest import KEY
from tests.unit.triggers.followups.replaced import ROUTES

REGISTER = {
    "email": "alice@example.com", "password": "8 signs!", "name": "Alice", "phone": "1", "title": "Agent",
    "company": "Acme",
}  # fmt: skip
CLIENT = {
    "name": "Ann", "email": "ann@example.com", "phone": None, "property_address": "12 Elm Street",
    "property_type": "residential", "stage": "lead", "notes": None, "custom_fields": {"pets": 2},
}  # fmt: skip


def misfits(given: Any, wanted: Any, at: str = "$") -> list[str]:
    """Where an answer is not as callers know it; more may be there. A list that is known by its row has one."""
    match wanted:
        case dict():
            if not isinstance(given, dict):
                return [f"{at}: {given!r}"]
            found: list[str] = []
            for name, inner in wanted.items():
                plain = name.removesuffix("?")
                if plain not in given:
                    found.append(f"{at}.{plain} is missing")
                elif given[plain] is not None or plain == name:
                    found += misfits(given[plain], inner, f"{at}.{plain}")
            return found
        case [row]:
            if not isinstance(given, list):
                return [f"{at}: {given!r}"]
            return [problem for one in given for problem in misfits(one, row, f"{at}[]")]
        case _:
            return [] if fits(given, wanted) else [f"{at}: {given!r} is no {wanted}"]


def fits(given: Any, wanted: str) -> bool:
    """Whether a plain value is of that kind."""
    kinds = {"int": int, "text": str, "word": (str, bool), "time": str, "bool": bool, "number": float, "object": dict}
    if given is None:
        return wanted.endswith("?")
    if wanted.startswith("time"):
        datetime.fromisoformat(given)
    return isinstance(given, kinds[wanted.removesuffix("?")])


class Caller:
    """Asks as the replaced system's page does, and judges each answer by the table."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.asked: set[str] = set()

    def __call__(self, route: str, body: Any = None, *, query: str = "", slash: str = "", **path: int) -> Any:
        status, shape, _ = ROUTES[route]
        method, _, template = route.partition(" ")
        headers = {"Authorization": f"Bearer {self.app.token}", "X-Admin-Key": KEY}
        answer = self.app.host.request(method, f"{template.format(**path)}{slash}{query}", body, headers=headers)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/json"), answer.body
        assert misfits(answer.json(), shape) == []
        self.asked.add(route)
        return answer.json()


async def test_a_caller_of_the_replaced_system_goes_on_as_before(running: Any) -> None:
    async with running() as app:
        ask = Caller(app)
        app.token = ask("POST /api/agents/register", REGISTER)["access_token"]
        login = {"email": REGISTER["email"], "password": REGISTER["password"]}
        app.token = ask("POST /api/agents/login", login)["access_token"]
        ask("PATCH /api/agents/me", {"bio": "Sells houses"})
        mine = {"working_days": [1, 2, 3, 4, 5, 6, 7], "opens": "00:00", "closes": "23:59:59"}
        app.ask("PATCH", "/api/agents/me", mine | {"postal_address": "1 Main Street"})
        assert ask("GET /api/agents/me")["bio"] == "Sells houses"

        ann = ask("POST /api/clients", CLIENT, slash="/", query="?create_tasks=true")["id"]
        bob = ask("POST /api/clients", CLIENT | {"email": "bob@example.com"}, slash="/")["id"]
        third = ask("POST /api/clients", CLIENT | {"email": "c@example.com"}, slash="/")["id"]
        listed = [ask("GET /api/clients", slash="/", query=f"?page={page}&limit=2") for page in (1, 2, 3)]
        assert [[one["id"] for one in page] for page in listed] == [[ann, bob], [third], []]
        assert ask("GET /api/clients/{client_id}", client_id=ann)["custom_fields"] == {"pets": 2}
        ask("PATCH /api/clients/{client_id}", CLIENT | {"notes": "x", "email_unsubscribed": False}, client_id=ann)
        assert len(ask("GET /api/clients/{client_id}/tasks", client_id=ann)) == 5
        assert ask("GET /api/clients/{client_id}/tasks", client_id=bob) == []

        at = (datetime.now(UTC) + timedelta(days=2)).isoformat()
        new = {"client_id": bob, "followup_type": "Custom", "scheduled_for": at, "notes": None, "priority": "low"}
        custom = ask("POST /api/tasks", new, slash="/")["id"]
        assert len(ask("GET /api/tasks", slash="/", query="?page=1&limit=100&status=pending")) == 6
        draft = {"subject": "A", "body": "B", "custom_instructions": "short", "timestamp": 1}
        ask("PATCH /api/tasks/{task_id}", {"email_preview": draft}, task_id=custom)
        assert ask("GET /api/tasks/{task_id}", task_id=custom)["email_preview"]["custom_instructions"] == "short"
        app.execute("update followups.tasks set scheduled_for = now() where id = %s", custom)
        due = ask("GET /api/tasks/diagnostics/due-tasks")
        assert (due["due_tasks"], due["due_tasks_details"][0]["id"]) == (1, custom)
        assert ask("POST /api/tasks/process-due")["count"] == 1
        app.until(lambda: len(ask("GET /api/emails", slash="/", query="?status=queued")) == 1)

        preview = ask("POST /api/emails/preview", {"client_id": bob, "task_id": custom, "agent_instructions": None})
        words = {"client_id": bob, "task_id": custom, "to_email": "bob@example.com", "subject": "Hello"}
        mail = ask("POST /api/emails/send", words | {"body": preview["html_body"]})
        assert "<" not in mail["body"]
        ask("POST /api/tasks/process-due")
        app.until(lambda: ask("GET /api/emails/{email_id}", email_id=mail["id"])["status"] == "sent")
        assert [one["recipients"] for one in app.mails()] == [["bob@example.com"]]
        assert ask("GET /api/tasks/{task_id}", task_id=custom)["email_sent_id"] == mail["id"]
        assert ask("GET /api/dashboard/stats")["emails_sent_today"] == 1
        activity = ask("GET /api/dashboard/recent-activity", query="?limit=5")
        assert [(one["type"], one["to"]) for one in activity[:2]] == [
            ("email", "bob@example.com"),
            ("client", "c@example.com"),
        ]
        app.until(lambda: app.host.request("GET", "/health").status == 200)
        ask("GET /health")
        app.minute()
        app.until(lambda: app.host.request("GET", "/health/scheduler").status == 200)
        assert ask("GET /health/scheduler")["running"]

        delete_all(ask, mail["id"], [ann, bob, third])
        # Google's answer needs Google: tests of that route are among those of the accounts.
        assert set(ROUTES) - ask.asked == {"POST /api/agents/google"}


def delete_all(ask: Caller, mail: int, clients: list[int]) -> None:
    """One by one and several at once: what is deleted is not there any more."""
    [first, second, *_] = [one["id"] for one in ask("GET /api/clients/{client_id}/tasks", client_id=clients[0])]
    ask("DELETE /api/emails/{email_id}", email_id=mail)
    assert ask("DELETE /api/emails/bulk", {"ids": [mail]})["failed_ids"] == [mail]
    ask("DELETE /api/tasks/{task_id}", task_id=first)
    assert ask("DELETE /api/tasks/bulk", {"ids": [first, second]})["deleted_count"] == 1
    ask("DELETE /api/clients/{client_id}", client_id=clients[0])
    assert ask("DELETE /api/clients/bulk", {"ids": clients})["deleted_count"] == 2
