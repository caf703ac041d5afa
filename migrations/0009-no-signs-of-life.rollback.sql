alter table diamonds.run_metadata add column last_seen_at timestamptz not null default now();
