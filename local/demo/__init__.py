"""The guided tour: every service starts, a full diamond run goes through them, and a table says what came of it."""
