"""Stand-ins, on the wire, of those whom the follow-ups speak to: mail providers, a model, Google's keys, DNS."""
