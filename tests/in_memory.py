"""A folder whose files lie in memory."""

import os
import tempfile

_PLACE = "/dev/shm"


def folder_in_memory() -> tempfile.TemporaryDirectory[str]:
    """For a store that is opened and closed hundreds of times, so that the disk's other users do not hold it up.

    Where the machine has no such place, it is on the disk.
    """
    return tempfile.TemporaryDirectory(dir=_PLACE if os.access(_PLACE, os.W_OK) else None)
