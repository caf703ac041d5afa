"""What people are told of the follow-ups: figures, health and alerts."""
