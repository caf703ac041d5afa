"""A stand-in for Azure Service Bus queues: AMQP 1.0 over TCP in front of SQLite, for the azure-servicebus SDK as it is.

`python -m local.servicebus --port 5672 --data DIR` starts it. The modules, from the wire to the disk: `codec` (AMQP's
types), `frames` (its performatives), `connection`, `session` and `links` (its endpoints), `management` (the
`$management` requests), `message` (an AMQP message and its sections), `dispatch` (who gets the next message), `queue`,
`broker` and `rows` (the rules of a queue, on SQLite, without any network), `atom` (the administration API
over HTTP), `resource_manager` (the queues as Azure's resource manager tells them).
"""

from typing import Final

EMULATOR_KEY: Final = "SAS_KEY_VALUE"
"""What connection strings of Microsoft's own emulator have in the place of a key."""
KEY_VARIABLE: Final = "MANIFOLD_SERVICEBUS_KEY"
"""Names the key that tokens have to be signed with."""
