"""How a host is started."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class HostOptions:
    """How to run an app; everything but the folder has the default of the command line."""

    app: Path
    data: Path | None = None
    port: int | None = None
    address: str | None = None
    only: tuple[str, ...] = ()
    enable_auth: bool = False
    cors: str | None = None
    cors_credentials: bool = False
    grace_seconds: float = 5.0
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Settings on top of the process environment and of local.settings.json."""

    @property
    def data_folder(self) -> Path:
        """Where keys, timers and the task hub are kept: --data, MANIFOLD_LOCAL_DIR, or `.local/host` in the app."""
        if self.data is not None:
            return self.data
        shared = os.environ.get("MANIFOLD_LOCAL_DIR")
        return (Path(shared) if shared else self.app / ".local") / "host"
