"""The base: what a fold wrote, as Parquet, rows and index files that a manifest names."""
