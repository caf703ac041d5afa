"""The protocol: AMQP 1.0 as clients of Service Bus speak it."""
