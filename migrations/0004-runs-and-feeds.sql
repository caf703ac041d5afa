-- What a run needs to be cancelled, retried and explained, and how far a partition is where a supplier gives out tokens.

alter table diamonds.run_metadata
    add column error_code text,
    add column error text check (length(error) <= 500), -- why it failed, or what it left undone
    add column trace_id text check (length(trace_id) <= 100), -- of the last request to consolidate it
    -- Which retry or consolidation took an ended run up again: a repeated delivery of the same one finds its own.
    add column attempt uuid,
    -- Of a complete full run: what the feed offered before, how many of those it did not see, how many it deleted.
    add column offered_records integer,
    add column missing_records integer,
    add column deleted_records integer;

alter table diamonds.partition_progress add column next_token text check (length(next_token) <= 4096);
