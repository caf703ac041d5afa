-- A mail of which nobody knows is handed over again only where the provider takes its key once, and after the checks.
alter table followups.emails
    add column repeated_at timestamptz, -- the last time it was handed over again; counts for the day's cap
    add column repeat_refused text; -- why it was not handed over again at the last look
