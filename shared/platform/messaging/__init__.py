"""Service Bus queues: sending, how full they are, dead letters."""
