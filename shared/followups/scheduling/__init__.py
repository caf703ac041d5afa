"""When a client is written to: calendars, the cadence, and what happens to steps that are late."""
