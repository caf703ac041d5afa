-- A supplier whose pages are empty and yet name a next one is read no further once there are too many of them.

alter table diamonds.partition_progress
    add column empty_pages integer not null default 0 check (empty_pages >= 0); -- of the current sweep
