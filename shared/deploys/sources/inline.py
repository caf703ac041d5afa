"""Files that a request brings along, as the archive that an upload would have been."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Final

from shared.deploys.sources.tree import LIMITS, parts_of
from shared.platform.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_FILE: Final = 0o100644 << 16


def archive_of(files: Mapping[str, bytes]) -> bytes:
    """A zip of the files by their paths, the same for the same files.

    Raises:
        InvalidInput: a path leads out of the source, or is no path.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in sorted(files.items()):
            parts = parts_of(path, LIMITS)
            if not parts or path.endswith("/"):
                raise InvalidInput(f"{path!r} is no path of a file.", field="files", code="source-refused")
            entry = zipfile.ZipInfo("/".join(parts), _EPOCH)
            entry.external_attr, entry.compress_type = _FILE, zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return packed.getvalue()
