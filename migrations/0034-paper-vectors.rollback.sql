do $$
declare
    vectors text;
begin
    for vectors in select tablename from pg_tables where schemaname = 'papers' and tablename ~ '^vectors_\d+$' loop
        execute format('drop table papers.%I', vectors);
    end loop;
end $$;
drop function papers.make_vectors, papers.drop_vectors, papers.index_vectors;
drop table papers.embedding_usage, papers.unembedded, papers.models;
