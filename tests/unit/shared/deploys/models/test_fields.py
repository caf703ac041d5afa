"""Commands as people write them, which no shell runs."""

from __future__ import annotations

import pytest

from tests.unit.shared.deploys.models.requested import deployment, request


def test_commands_reach_the_platform_as_words() -> None:
    spec = deployment(startCommand="python -m http.server '8 0'").spec()
    assert spec.start_command == ("python", "-m", "http.server", "8 0")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("gunicorn app:app -b 0.0.0.0:$PORT", ("gunicorn", "app:app", "-b", "0.0.0.0:$PORT")),
        ("serve --port=${PORT:-3000}", ("serve", "--port=$PORT")),
        ("NODE_ENV=production node .", ("env", "NODE_ENV=production", "node", ".")),
        ("node -e 'a && b; c'", ("node", "-e", "a && b; c")),
        ("exec gunicorn app:app", ("gunicorn", "app:app")),
        ("serve --pattern '^/a$'", ("serve", "--pattern", "^/a$")),
        ("node ''", ("node", "")),
        ('node "" a', ("node", "", "a")),
        ("find . -name ';'", ("find", ".", "-name", ";")),
        (
            "serve '*.js' \"a?b\" '~/x' '{a,b}' '# no note' \\*",
            ("serve", "*.js", "a?b", "~/x", "{a,b}", "# no note", "*"),
        ),
        ("hypercorn app:app --bind [::]:$PORT", ("hypercorn", "app:app", "--bind", "[::]:$PORT")),
        ("serve a#b a~b {} {a} ${PORT:-80}", ("serve", "a#b", "a~b", "{}", "{a}", "$PORT")),
        ("NODE_ENV=production PORT=$PORT node .", ("env", "NODE_ENV=production", "PORT=$PORT", "node", ".")),
    ],
)
def test_what_people_write_into_procfiles_needs_no_shell(command: str, words: tuple[str, ...]) -> None:
    request(startCommand=command)
    assert deployment(startCommand=command).spec().start_command == words
