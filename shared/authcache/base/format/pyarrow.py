"""pyarrow, which comes without types. Nothing that answers requests imports this: it takes a third of a second."""

from __future__ import annotations

from typing import Any, TypeAlias

import pyarrow as _pyarrow  # noqa: ICN001 - what is named pa here has a type
import pyarrow.compute as _compute
import pyarrow.parquet as _parquet

pa: Any = _pyarrow
compute: Any = _compute
parquet: Any = _parquet

Columns: TypeAlias = Any
"""A pyarrow.Table."""
Values: TypeAlias = Any
"""A pyarrow.Array or ChunkedArray."""
Schema: TypeAlias = Any
"""A pyarrow.Schema, or a field or type of one."""
