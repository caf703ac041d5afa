"""What a queue is: its settings, its messages in SQLite, the rules for them, and who gets the next one."""
