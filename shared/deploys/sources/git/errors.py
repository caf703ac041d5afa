"""What goes wrong between a git host and the app, in words that say whose fault it is and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.platform.errors import InvalidInput, TerminalError, TransientError

if TYPE_CHECKING:
    import urllib3

    from shared.deploys.models import GitSource
    from shared.platform.errors import ManifoldError
    from shared.platform.redaction import Redactor

_SHOWN_CHARACTERS = 500
_BODY_BYTES = 20_000
_UNUSUAL = "Try again; if it comes again, upload the source as an archive instead."


def failed(message: str, *, remedy: str = _UNUSUAL) -> TerminalError:
    """What another attempt does not change."""
    return TerminalError(f"{message}.", code="git-failed", remedy=remedy)


def unreachable(host: str, why: str) -> TransientError:
    """No connection to the host."""
    return TransientError(
        f"The host {host} could not be reached: {why}.", code="git-host-unavailable", remedy="Try again later."
    )


def unavailable(url: str, why: str) -> TransientError:
    """The host cannot be reached, or ended in the middle."""
    return TransientError(
        f"{url} could not be fetched: {why[:_SHOWN_CHARACTERS].rstrip('.')}.",
        code="git-host-unavailable",
        remedy="Try again later.",
    )


def reported(source: GitSource, message: str) -> TerminalError:
    """What the host reported within git's protocol. Hosts differ in how they say that a commit is not there."""
    quoted = message.strip()[:_SHOWN_CHARACTERS] or "nothing"
    if source.commit and ("not our ref" in message or "unadvertised" in message):
        return failed(
            f"There is no commit {source.commit} in {source.url}, or it is on no branch: the host said {quoted!r}",
            remedy="Name a commit that was pushed.",
        )
    return failed(f"{source.url} could not be fetched: {quoted!r}")


def answered(
    source: GitSource, answer: urllib3.BaseHTTPResponse, redact: Redactor, *, with_token: bool
) -> ManifoldError:
    """A status that is no success; what the host wrote besides is shown where it is plain text."""
    url, status = source.url, answer.status
    why = ""
    if (answer.headers.get("Content-Type") or "").startswith("text/plain"):
        why = redact(answer.read(_BODY_BYTES, decode_content=False).decode(errors="replace")).strip()
        why = f": {' '.join(why.split())[:_SHOWN_CHARACTERS]!r}" if why else ""
    answer.close()
    if status in (401, 403) and with_token:
        return failed(
            f"The host refused gitToken for {url} with {status}{why}",
            remedy="See that it is right, has not expired, and may read the repository; some hosts need gitUser too.",
        )
    if status in (401, 403, 404):
        return failed(
            f"There is no public repository at {url}: the host answered {status}{why}",
            remedy="See that the address is right; a private repository needs gitToken, of somebody who may read it.",
        )
    if status in (408, 425, 429) or status >= 500:  # noqa: PLR2004
        return unavailable(url, f"the host answered {status}{why}")
    return failed(
        f"{url} could not be fetched: the host answered {status}{why}", remedy="See that the address is right."
    )


def too_large(url: str, most: int, *, packed: bool) -> InvalidInput:
    """The host sends more than is taken."""
    what = "the packed files of the commit" if packed else "its list of branches and tags"
    return InvalidInput(
        f"The source was refused: of {url} {what} have more than {most:,} bytes.",
        field="gitUrl",
        code="source-refused",
        remedy="Keep large files out of the branch, or upload an archive of what the app needs.",
    )


def too_costly(seconds: float) -> InvalidInput:
    """What the host sent takes longer to unpack than any source of a size that is taken."""
    return InvalidInput(
        f"The source was refused: it takes longer than {seconds:g} s to unpack.",
        field="gitUrl",
        code="source-refused",
        remedy="Have `git gc` repack the repository, or upload the source as an archive.",
    )


def damaged(reason: str) -> TerminalError:
    """What the host sent is no pack."""
    return failed(f"What the git host sent cannot be read: {reason}")
