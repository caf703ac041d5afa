"""A subscription that resources are provisioned into: it keeps what is put, and refuses what Azure refuses."""
