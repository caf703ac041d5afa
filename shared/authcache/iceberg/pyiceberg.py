"""What pyiceberg does with Arrow, which comes without types."""

from __future__ import annotations

from typing import Any

from pyiceberg.io import pyarrow as _module

_io: Any = _module
arrow_scan = _io.ArrowScan
arrow_schema = _io.schema_to_pyarrow
# Its public ways to replace files make two snapshots, which some catalogs refuse in one commit.
data_files = _io._dataframe_to_data_files  # noqa: SLF001 - as said
