"""The order of things of the workload followups."""
