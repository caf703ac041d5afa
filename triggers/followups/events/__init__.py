"""What mail providers and mailboxes post: the webhooks, the queue of their events, mail from clients."""
