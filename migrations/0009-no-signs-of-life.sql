-- Whether a run is alive is asked of the host, which knows; the rows only guessed it.
alter table diamonds.run_metadata drop column last_seen_at;
