"""Arrays are kept without pickles: what somebody else put into a file is never run."""

import io

import numpy as np
import pytest

from shared.papers.maps import files


def test_arrays_come_back_as_they_were():
    found = files.unpacked(files.packed(positions=np.arange(6, dtype="<f4").reshape(3, 2), near=np.arange(3)))
    assert found["positions"].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert set(found) == {"positions", "near"}


def test_objects_are_neither_written_nor_read():
    with pytest.raises(ValueError, match=r"pickle|Object"):
        files.packed(positions=np.array([object()]))
    foreign = io.BytesIO()
    np.savez(foreign, positions=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match=r"pickle|Object"):
        files.unpacked(foreign.getvalue())


def test_a_file_is_named_for_what_is_in_it():
    assert files.named("points", "bin", b"abc") == f"points-{files.checksum(b'abc')[:16]}.bin"
    assert files.named("points", "bin", b"abd") != files.named("points", "bin", b"abc")
