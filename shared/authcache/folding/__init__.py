"""How the log becomes the next base and one append to each Iceberg table."""
