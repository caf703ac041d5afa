"""Addresses of repositories, and where their names lead."""

from __future__ import annotations

import socket

import pytest

from shared.deploys.sources.git.address import check_url, public_addresses
from shared.platform.errors import InvalidInput, TerminalError, TransientError

URL = "https://git.example.com/team/app"


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the host's name stands for: a public address."""
    addresses = ["140.82.112.3"]

    async def look_up(*_: object) -> list[str]:
        return addresses

    monkeypatch.setattr("shared.deploys.sources.git.address._addresses", look_up)
    return addresses


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://github.com/a/b", "only https"),
        ("ssh://git@github.com/a/b", "only https"),
        ("git@github.com:a/b.git", "only https"),
        ("file:///etc", "only https"),
        ("https://me:hunter2@github.com/a/b", "credentials"),
        ("https://github.com/a/b?x=1", "query"),
        ("https://github.com/", "no repository's"),
        ("https://github.com/a/../b", "no repository's"),
        ("https://github.com/-u/b", "no repository's"),
        ("https://github.com/a/%2e%2e/b", "no repository's"),
        ("https://github.com/%2D-upload-pack/b", "no repository's"),
        ("https://github.com/a%2Fb", "no repository's"),
        ("https://github.com/a/b%00", "no repository's"),
        ("https://github.com/a/b%0Ac", "no repository's"),
        ("https://github.com/a/b%5Cc", "no repository's"),
        ("https://github.com/a/b%", "no repository's"),
        ("https://github.com//b", "no repository's"),
        ("https://github.com/a b", "no repository's"),
        ("https://127.0.0.1/a/b", "not its address"),
        ("https://[::1]/a/b", "not its address"),
        ("https://localhost/a/b", "no public host"),
        ("https://vault.internal/a/b", "no public host"),
        ("https://github.com:99999/a", "no address"),
        ("https://müller.example/a", "ASCII"),
    ],
)
def test_addresses_that_are_refused(url: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as refusal:
        check_url(url)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "path", ["org/My%20Project/_git/repo", "a/notepad++", "a/c%2B%2B/", "a/M%C3%BCller", "~me/x.git"]
)
def test_defect_names_with_blanks_and_plus_signs_are_refused(path: str) -> None:
    check_url(f"https://dev.azure.com/{path}")


def test_a_path_that_is_refused_has_a_remedy_that_fits() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_url("https://github.com/a b")
    assert "%20" in str(refused.value.remedy)


def test_the_list_of_hosts_is_the_last_word() -> None:
    check_url("https://git.corp/a/b", ["git.corp"])
    with pytest.raises(InvalidInput, match=r"'github\.com' is not one of git\.corp"):
        check_url("https://github.com/a/b", ["git.corp"])


@pytest.mark.parametrize(
    "inside",
    [
        *("127.0.0.1", "10.1.2.3", "169.254.169.254", "168.63.129.16", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
        *("::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1", "::"),
        # An address of IPv4 within one of IPv6: mapped, compatible, and by the gateways of NAT64, 6to4 and Teredo.
        *("::ffff:168.63.129.16", "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1"),
        *("2002:a00:1::", "2001:0:a00:1::"),
    ],
)
async def test_a_public_name_that_leads_inside_is_refused(inside: str, found: list[str]) -> None:
    found.append("2606:50c0:8000::153")
    assert await public_addresses(URL) == ["140.82.112.3", "2606:50c0:8000::153"]
    found.append(inside)
    with pytest.raises(InvalidInput, match="is no public host") as refusal:
        await public_addresses(URL)
    assert refusal.value.field == "gitUrl"


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), TerminalError, "There is no host"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), TransientError, "could not be looked up: Temporary"),
    ],
)
async def test_a_host_that_is_not_there_is_said_to_be_that(
    monkeypatch: pytest.MonkeyPatch, error: OSError, kind: type[Exception], message: str
) -> None:
    async def look_up(*_: object) -> list[str]:
        raise error

    monkeypatch.setattr("shared.deploys.sources.git.address._addresses", look_up)
    with pytest.raises(kind, match=message):
        await public_addresses(URL)
