-- How each feed's payloads were last read: when that changes, rows that could not be read before are tried again.
create table diamonds.feed_mappings (
    feed text primary key,
    fingerprint bytea not null check (octet_length(fingerprint) = 32), -- sha256 of mapping, price unit and statement
    changed_at timestamptz not null default now()
);
