"""What every model of the app is built on."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class LazyModel(BaseModel):
    """A model whose validator is built when it is first used.

    The app has hundreds of models, and a cold start serves one request: it pays for the models of that request alone.
    """

    model_config = ConfigDict(defer_build=True)


class RequestBody(LazyModel):
    """The body of a request. A field that it does not know is refused, so that none is left out in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)
