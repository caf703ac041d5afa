"""The steps of the workload followups."""
