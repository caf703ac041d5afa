"""Follow-ups: a CRM whose e-mails are written on time and never handed over twice."""
