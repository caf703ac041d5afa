-- A run is also judged by what it lists and cannot change: rows that wait for a run that is held, or that were discarded.

alter table diamonds.run_differences
    add column listed integer not null default 0, -- diamonds that the run has seen
    add column waiting integer not null default 0; -- of those: they wait for a held run, or were discarded with one
