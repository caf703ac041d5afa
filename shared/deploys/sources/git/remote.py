"""A git server, asked over HTTPS for the pack of one commit: dulwich speaks the protocol, this makes the requests."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, TypeVar
from urllib.parse import urljoin, urlsplit

import urllib3
from dulwich.client import AbstractHttpGitClient, FetchPackResult
from dulwich.errors import GitProtocolError, HangupException
from dulwich.object_store import ObjectStoreGraphWalker
from dulwich.objects import ObjectID
from dulwich.refs import HEADREF, Ref

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.models import GitSource
from shared.deploys.sources.git import errors
from shared.platform.errors import ManifoldError
from shared.platform.redaction import Redactor

T = TypeVar("T")

PACK_BYTES: Final = 250_000_000
"""Of what a host sends for one commit, as of an archive that is uploaded."""
_REFS_BYTES = 20_000_000
_HOPS = 3
_BEGINNING_BYTES = 20_000
_LENGTH, _ERROR = 4, b"ERR "
"""How a packet begins by which a host says what is wrong: its length in hexadecimal digits, and this."""
_USUAL_USER = "x-access-token"
"""What hosts that look at the token alone take for its user."""
_SHOWN_REFS = 10


@dataclass
class _Response:
    """What dulwich looks at of an answer."""

    answer: urllib3.BaseHTTPResponse
    content_type: str | None
    redirect_location: str
    status: int
    headers: Mapping[str, str]

    def close(self) -> None:
        """Nothing more is read."""
        self.answer.close()

    def read(self, amt: int | None = None) -> bytes:
        """Bytes as they came."""
        return self.answer.read(amt, decode_content=False)

    def geturl(self) -> str | None:
        """Where it came from."""
        return self.answer.geturl()


class Remote(AbstractHttpGitClient):
    """A repository's server.

    It is asked for nothing but this repository, by connections of `pool`, which lead to its host alone; a redirect to
    another host is refused, and so are packs elsewhere that an answer names.

    Attributes:
        cancelled: called between chunks; true ends the work.
    """

    def __init__(
        self, source: GitSource, pool: urllib3.HTTPSConnectionPool, token: str | None, cancelled: Callable[[], bool]
    ) -> None:
        super().__init__(source.url, thin_packs=False, quiet=True)
        self._source = source
        self._pool = pool
        self._with_token = token is not None
        self._redact = Redactor([token] if token else [])
        self._cancelled = cancelled
        self._received, self._most = 0, _REFS_BYTES
        self._beginning = b""
        self._headers = {"User-Agent": "git/manifold", "Accept-Encoding": "identity", "Pragma": "no-cache"}
        if token:
            pair = f"{source.user or _USUAL_USER}:{token}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"

    def fetch_commit(self, pack: BinaryIO) -> str:
        """Write the pack of the commit without its history; the id of the commit, or of the tag that leads to it.

        Raises:
            InvalidInput: it is larger than PACK_BYTES, or its list of branches is too long.
            TerminalError: it cannot be had (`git-failed`).
            TransientError: the host does not answer as it should now (`git-host-unavailable`).
        """
        named = self._names()
        object_ids: list[ObjectID] = []

        def choose(refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:  # noqa: ARG001 - dulwich names it
            commit = self._source.commit
            object_ids.extend(
                [ObjectID(commit.encode())] if commit else [refs[name] for name in named if name in refs][:1]
            )
            self._received, self._most = 0, PACK_BYTES
            return object_ids

        result = self._git(
            lambda: self.fetch_pack(
                "",
                choose,
                ObjectStoreGraphWalker([], lambda _: []),
                pack.write,
                progress=lambda _: None,
                depth=1,
                ref_prefix=[*named, HEADREF],
            )
        )
        if not object_ids:
            raise self._no_such_branch(result)
        if result.object_format not in (None, "sha1"):
            raise errors.failed(
                f"{self._source.url} names its commits by {result.object_format}, and sha1 alone is taken"
            )
        return object_ids[0].decode("ascii")

    def _names(self) -> list[Ref]:
        branch = self._source.branch.encode()
        return [Ref(b"refs/heads/" + branch), Ref(b"refs/tags/" + branch)]

    def _no_such_branch(self, result: FetchPackResult) -> ManifoldError:
        self._received, self._most = 0, _REFS_BYTES
        heads = b"refs/heads/"
        refs = self._git(lambda: self.get_refs("", ref_prefix=[Ref(heads)])).refs
        branches = [name[len(heads) :].decode(errors="replace") for name in refs if name.startswith(heads)]
        usual = result.symrefs.get(HEADREF, b"").removeprefix(heads).decode(errors="replace")
        branches.sort(key=lambda one: one != usual)
        more = ", ..." if len(branches) > _SHOWN_REFS else ""
        has = f"it has {', '.join(branches[:_SHOWN_REFS])}{more}" if branches else "it is empty"
        return errors.failed(
            self._redact(f"There is no branch or tag {self._source.branch!r} in {self._source.url}: {has}"),
            remedy="Name one that is there as `branch`." if branches else "Push a commit to it first.",
        )

    def _git(self, work: Callable[[], T]) -> T:
        """What dulwich gives; what it raises says what the host did wrong."""
        try:
            return work()
        except ManifoldError:
            raise
        except (urllib3.exceptions.HTTPError, OSError, HangupException) as error:
            self._check_cancelled()
            # dulwich does not know this packet everywhere that hosts send it.
            if self._beginning[_LENGTH:].startswith(_ERROR):
                message = self._beginning[_LENGTH + len(_ERROR) :].decode(errors="replace")
                raise errors.reported(self._source, self._redact(message)) from error
            raise errors.unavailable(self._source.url, self._redact(str(error) or type(error).__name__)) from error
        except GitProtocolError as error:
            raise errors.reported(self._source, self._redact(str(error))) from error
        # dulwich takes a malformed answer apart until something does not fit.
        except (AssertionError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise errors.failed(f"What {self._source.url} answered is no git") from error

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: object = None,
        raise_for_status: bool = True,  # noqa: ARG002 - dulwich's signature
    ) -> tuple[_Response, Callable[[int], bytes]]:
        """One request, by which dulwich asks for all that it needs. Redirects within the host are followed."""
        answer, from_url = self._request(url, headers or {}, data)
        if answer.status != 200:  # noqa: PLR2004 - success
            raise errors.answered(self._source, answer, self._redact, with_token=self._with_token)
        kind = answer.headers.get("Content-Type") or ""
        if not kind.startswith("application/x-git-"):  # or dulwich would ask for each object by an address of its own
            answer.close()
            raise errors.failed(
                f"{self._source.url} is no git repository: the host answered {self._redact(kind)[:80]!r}"
            )
        response = _Response(answer, kind, from_url if from_url != url else "", answer.status, answer.headers)
        return response, lambda size: self._read(answer, size)

    def _request(self, url: str, headers: Mapping[str, str], data: object) -> tuple[urllib3.BaseHTTPResponse, str]:
        """The answer to one request, and the address that gave it. Redirects of what only reads are followed."""
        self._beginning = b""
        for _ in range(_HOPS):
            self._check_cancelled()
            self._check_origin(url)
            parts = urlsplit(url)
            answer = self._pool.urlopen(
                "GET" if data is None else "POST",
                f"{parts.path}?{parts.query}" if parts.query else parts.path,
                body=data,  # pyright: ignore[reportArgumentType] - bytes, as a wanted commit is always short
                headers={**self._headers, **headers},
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            if answer.status // 100 != 3 or data is not None:  # noqa: PLR2004 - redirects
                return answer, url
            answer.close()
            url = urljoin(url, answer.headers.get("Location", ""))
        raise errors.failed(f"The host redirects {self._source.url} again and again")

    def _check_origin(self, url: str) -> None:
        own, other = urlsplit(self._source.url), urlsplit(url)
        if (other.scheme, other.netloc.lower()) != (own.scheme, own.netloc.lower()):
            host = self._redact(other.hostname or "")[:100]
            raise errors.failed(
                f"The host leads from {self._source.url} to another host, {host!r}",
                remedy="Name the address that it leads to, if that is the right one.",
            )

    def _read(self, answer: urllib3.BaseHTTPResponse, size: int) -> bytes:
        self._check_cancelled()
        chunk = answer.read(size, decode_content=False)
        self._received += len(chunk)
        self._beginning += chunk[: _BEGINNING_BYTES - len(self._beginning)]
        if self._received > self._most:
            answer.close()
            raise errors.too_large(self._source.url, self._most, packed=self._most == PACK_BYTES)
        return chunk

    def _check_cancelled(self) -> None:
        if self._cancelled():
            raise DeploymentCancelled
