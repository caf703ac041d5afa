-- Whether DNS shows what mailboxes ask of the sender's domain. Nothing is handed over while it does not.
alter table followups.scheduler
    add column domain_key text, -- what was looked at: domain, provider, keys
    add column domain_checked_at timestamptz,
    add column domain_problems text[] not null default '{}';
