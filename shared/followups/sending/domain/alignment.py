"""What mailboxes ask of a sender's domain, judged as a pure function of its records in DNS."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

MOST_LOOK_UPS = 10
"""Of one SPF record (RFC 7208, 4.6.4); a longer one is an error for every mailbox."""
LOOKED_UP = ("include", "a", "mx", "ptr", "exists", "redirect")
SHORTEST_KEY = 140
"""Bytes of a public RSA key of 1,024 bits; those of Ed25519 have 32 and say so."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, and what its provider needs.

    Attributes:
        domain: of the From address.
        return_path: where bounces go, whose SPF counts; "" for a domain of the provider's own.
        selectors: names of the DKIM keys, beneath the domain itself.
        include: what the SPF record must include; "" if anything may do.
    """

    domain: str
    return_path: str
    selectors: tuple[str, ...]
    include: str = ""

    @property
    def dmarc_names(self) -> tuple[str, ...]:
        """Where a policy may be: at the domain or at one above it, but at no top-level domain."""
        labels = self.domain.split(".")
        return tuple(f"_dmarc.{'.'.join(labels[start:])}" for start in range(max(len(labels) - 1, 1)))

    def dkim_name(self, selector: str) -> str:
        """Where the public key of that name stands."""
        return f"{selector}._domainkey.{self.domain}"


@dataclass(frozen=True, slots=True)
class Records:
    """The texts in DNS by name; `spf` has those of the return path and of all that it includes, in their order."""

    texts: Mapping[str, Sequence[str]]
    spf: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


def problems(sender: Sender, records: Records) -> list[str]:
    """What is wrong, each with what to do; none if mailboxes will believe the sender."""
    spf = list(_spf(sender, records)) if sender.return_path else []
    dkim = list(_dkim(sender, records))
    policy, dmarc = _dmarc(sender, records)
    by_spf = bool(sender.return_path) and not spf and _aligned(sender, policy.get("aspf", "r"))
    if dkim and not by_spf and not dmarc:
        dmarc = [f"neither SPF nor DKIM speaks for {sender.domain}, so that DMARC fails"]
    return [*spf, *dkim, *dmarc]


def spf_of(texts: Sequence[str]) -> list[str]:
    """The SPF records among the texts of a name."""
    return [text for text in texts if text.lower().split(" ")[0] == "v=spf1"]


def included(spf: str) -> list[str]:
    """The names whose records an SPF record takes in."""
    terms = [_bare(term) for term in spf.split()[1:]]
    return [term.replace("=", ":").partition(":")[2] for term in terms if term.startswith(("include:", "redirect="))]


def _spf(sender: Sender, records: Records) -> Iterator[str]:
    name = sender.return_path
    published = spf_of(records.spf.get(name, ()))
    if not published:
        yield f"{name} has no SPF record: add a TXT record that starts with v=spf1"
        return
    if len(published) > 1:
        yield f"{name} has {len(published)} SPF records, so that mailboxes take none: make them one"
    terms = [term.lower() for term in published[0].split()[1:]]
    if {"all", "+all"} & set(terms):
        yield f"the SPF record of {name} lets everybody send: end it with ~all or -all"
    everything = [_bare(term) for texts in records.spf.values() for spf in spf_of(texts) for term in spf.split()[1:]]
    if sum(term.replace("=", ":").split(":")[0].split("/")[0] in LOOKED_UP for term in everything) > MOST_LOOK_UPS:
        yield f"the SPF record of {name} asks for more than {MOST_LOOK_UPS} look-ups: shorten it"
    if sender.include and sender.include not in records.spf:
        yield f"the SPF record of {name} does not include the provider: add include:{sender.include}"


def _bare(term: str) -> str:
    return term.lstrip("+?~-").lower()


def _dkim(sender: Sender, records: Records) -> Iterator[str]:
    if not sender.selectors:
        yield "nobody knows the DKIM keys of the domain: name them in FOLLOWUPS_DKIM_SELECTORS"
    for selector in sender.selectors:
        name = sender.dkim_name(selector)
        keys = [_tags(text) for text in records.texts.get(name, ()) if "p=" in text]
        if not keys:
            yield f"{name} has no DKIM key: add the record that the provider shows"
        elif not keys[0]["p"]:
            yield f"the DKIM key at {name} is withdrawn: its p= is empty"
        elif not _usable(keys[0]):
            yield f"the DKIM key at {name} cannot be read or is too short"


def _dmarc(sender: Sender, records: Records) -> tuple[Mapping[str, str], list[str]]:
    """The policy that counts, and what is wrong with it."""
    for name in sender.dmarc_names:
        policies = [tags for text in records.texts.get(name, ()) if (tags := _tags(text)).get("v") == "DMARC1"]
        if len(policies) > 1:
            return {}, [f"{name} has {len(policies)} DMARC records, so that mailboxes take none: make them one"]
        if policies and policies[0].get("p", "").lower() not in ("none", "quarantine", "reject"):
            return {}, [f"the DMARC record at {name} has no policy: p=none, quarantine or reject"]
        if policies:
            return policies[0], []
    return {}, [f"{sender.dmarc_names[0]} has no DMARC record: add v=DMARC1; p=none at least"]


def _aligned(sender: Sender, mode: str) -> bool:
    """Whether the return path speaks for the domain: strictly as the same, else as one beneath or above it."""
    return_path, domain = sender.return_path, sender.domain
    if mode.lower() == "s" or return_path == domain:
        return return_path == domain
    return return_path.endswith(f".{domain}") or domain.endswith(f".{return_path}")


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip(): "".join(value.split()) for name, _, value in pairs if name.strip()}


def _usable(tags: Mapping[str, str]) -> bool:
    try:
        key = base64.b64decode(tags["p"], validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(key) >= SHORTEST_KEY or tags.get("k", "rsa").lower() == "ed25519"
