"""The folders that the host and the other local services keep their data in."""

import stat
from pathlib import Path

ONLY_MINE = 0o700


def private_folder(folder: Path) -> Path:
    """Make the folder if it is not there, and close it to the machine's other users; the folder.

    A folder that is there for everybody, as /tmp, stays open: it has the sticky bit.

    Raises:
        OSError: it cannot be made, or belongs to another user.
    """
    folder.mkdir(mode=ONLY_MINE, parents=True, exist_ok=True)
    if not folder.stat().st_mode & stat.S_ISVTX:
        folder.chmod(ONLY_MINE)
    return folder
