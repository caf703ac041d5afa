-- The app's role may not analyze a table that it does not own. After much was merged the planner's figures are those of a
-- smaller table: counts would be estimated wrongly, and the wrong way of searching chosen, until autovacuum comes by.

create function papers.refresh_statistics() returns void language plpgsql security definer
set search_path = public, pg_temp as $$
begin
    -- Not the texts and their words: nothing is estimated by the first, and the second cost most of the time.
    analyze papers.papers (source, source_id, authors, author_keys, categories, primary_date, doi, arxiv_id, withdrawn);
end $$;

revoke execute on function papers.refresh_statistics from public;
