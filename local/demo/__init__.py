"""The guided tour: every service starts, each workload plays its act on them, and tables say what came of it."""
