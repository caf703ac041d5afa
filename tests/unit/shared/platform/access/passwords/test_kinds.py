"""Kinds of hashes, checked by the libraries that others have made them with."""

import bcrypt
import pytest

from shared.platform.access.passwords import kinds
from shared.platform.access.passwords.kinds import CURRENT, Cost, cost_of, never_matching, new_hash, verify
from shared.platform.errors import InvalidInput

LONG = "x" * 71 + "é" + "y" * 27
ROUNDS = 4


def old(password: bytes, version: bytes = b"2b") -> str:
    return (b"$" + version + bcrypt.hashpw(password, bcrypt.gensalt(ROUNDS))[3:]).decode()


@pytest.mark.parametrize("version", [b"2a", b"2b", b"2y"])
@pytest.mark.parametrize("password", ["short", LONG, "with\0nul", "ünïcode"])
def test_old_hashes_of_every_version_go_on_working(version: bytes, password: str) -> None:
    stored = old(password.encode()[:72], version)
    assert cost_of(stored) == Cost("bcrypt", (ROUNDS,))
    assert verify(cost_of(stored), password, stored)
    assert not verify(cost_of(stored), "no" + password, stored)


def test_a_password_is_not_cut_at_a_nul() -> None:
    stored = old(b"with\0nul")
    assert not verify(cost_of(stored), "with", stored)
    stored = new_hash("with\0nul")
    assert not verify(CURRENT, "with", stored)


def test_bcrypt_alone_knows_72_bytes_and_a_new_hash_knows_all() -> None:
    stored = old(LONG.encode()[:72])
    assert verify(cost_of(stored), LONG + "z", stored)
    stored = new_hash(LONG)
    assert cost_of(stored) == CURRENT
    assert verify(CURRENT, LONG, stored)
    assert not verify(CURRENT, LONG + "z", stored)
    assert not verify(CURRENT, LONG[:-1], stored)


def test_a_new_hash_is_argon2id_of_19_mib() -> None:
    assert new_hash("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    "stored",
    [
        "$argon2id$v=19$m=1048576,t=2,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$argon2id$v=19$m=19456,t=2000,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$argon2id$v=19$m=19456,t=2,p=64$" + "A" * 22 + "$" + "A" * 43,
        "$argon2id$nonsense",
        "$argon2i$v=19$m=19456,t=2,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$2b$31$" + "." * 53,
        "$2b$12$short",
        "$2x$12$" + "." * 53,
        "scrypt$1048576$8$1$" + "0" * 32 + "$" + "0" * 64,
        "scrypt$3$8$1$" + "0" * 32 + "$" + "0" * 64,
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "",
    ],
)
def test_a_hash_that_would_cost_too_much_or_is_none_is_refused(stored: str) -> None:
    with pytest.raises(InvalidInput, match="not usable"):
        cost_of(stored)


@pytest.mark.parametrize("cost", [CURRENT, Cost("bcrypt", (ROUNDS,)), Cost("scrypt", (2**10, 8, 1))])
def test_a_hash_that_never_matches_costs_what_it_says(cost: Cost) -> None:
    stored = never_matching(cost)
    assert cost_of(stored) == cost
    assert not verify(cost, "", stored)


def test_a_hash_of_scrypt_goes_on_working() -> None:
    import hashlib

    digest = hashlib.scrypt(b"secret", salt=bytes(16), n=2**10, r=8, p=1, maxmem=kinds.SCRYPT_BYTES, dklen=32)
    stored = f"scrypt$1024$8$1${'0' * 32}${digest.hex()}"
    assert verify(cost_of(stored), "secret", stored)
    assert not verify(cost_of(stored), "Secret", stored)
