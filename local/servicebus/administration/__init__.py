"""What is known of queues over HTTP: the administration API and the resource manager's message counts."""
