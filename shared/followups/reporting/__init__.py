"""What people see of the follow-ups: figures, health and alerts."""
