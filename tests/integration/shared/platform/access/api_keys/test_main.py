"""Operators create, list and revoke grants; a key is shown once."""

import asyncio
import os
import sys

import pytest

from shared.platform.access.api_keys import __main__
from shared.platform.access.api_keys.__main__ import _options
from shared.platform.errors import TransientError


@pytest.fixture
def run(migrated):
    async def run(*arguments):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "shared.platform.access.api_keys", *arguments),
            env={**os.environ, "POSTGRES_DSN": migrated},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode, out.decode().splitlines(), err.decode()

    return run


async def test_a_grant_from_its_creation_to_its_end(run):
    code, lines, notes = await run(
        *("create", "--client", "acme", "--organization", "org-1", "--expires-days", "30"),
        *("--permission", "diamonds:trade", "--permission", "diamonds:read", "--permission", "diamonds:read"),
    )
    assert (code, len(lines)) == (0, 1)
    assert "shown this once" in notes
    assert lines[0] not in notes
    code, listed, _ = await run("list")
    id_, client, kind, state, permissions, organization, expires, used = listed[0].split("\t")
    assert (client, kind, state, permissions) == ("acme", "key", "active", "diamonds:read,diamonds:trade")
    assert (organization, used) == ("org-1", "never")
    assert expires != "never"
    assert (await run("revoke", "--id", id_))[:2] == (0, ["revoked 1"])
    assert (await run("list"))[1][0].split("\t")[3] == "revoked"
    code, lines, notes = await run("revoke", "--id", id_)
    assert (code, lines) == (1, [])
    assert "no such active grant" in notes


async def test_a_client_signs_by_one_grant(run):
    code, lines, notes = await run("create", "--client", "acme", "--permission", "diamonds:read", "--hmac")
    assert (code, len(lines)) == (0, 1)
    assert "HMAC_SECRETS" in notes
    code, lines, notes = await run("create", "--client", "acme", "--permission", "diamonds:read", "--hmac")
    assert (code, lines) == (1, [])
    assert "signs already" in notes


@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "--client", "acme"],
        ["create", "--permission", "diamonds:read"],
        ["create", "--client", "admin", "--permission", "diamonds:read"],
        ["create", "--client", "Anonymous", "--permission", "diamonds:read"],
        ["create", "--client", "a b", "--permission", "diamonds:read"],
        ["create", "--client", "acme", "--permission", "*"],
        ["create", "--client", "acme", "--permission", "everything"],
        ["create", "--client", "acme", "--permission", "diamonds:read", "--expires-days", "0"],
        ["create", "--client", "acme", "--permission", "diamonds:read", "--organization", ""],
        ["revoke"],
        ["revoke", "--id", "1", "--client", "acme"],
        [],
    ],
)
def test_what_cannot_be_granted_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        _options(arguments)
    assert refused.value.code == 2
    assert "usage:" in capsys.readouterr().err


async def test_a_database_that_does_not_answer_is_one_clear_line(monkeypatch, capsys):
    def down():
        raise TransientError("PostgreSQL did not do its part.", code="postgres-unavailable")

    monkeypatch.setattr(__main__, "database", down)
    for arguments in (["list"], ["revoke", "--id", "1"], ["create", "--client", "a", "--permission", "a:b"]):
        assert await __main__._main(_options(arguments)) == 1
        output = capsys.readouterr()
        assert output.err == "api_keys: PostgreSQL did not do its part. (postgres-unavailable)\n"
        assert output.out == ""
