"""What comes back of mails that were handed over: signed events of the providers."""
