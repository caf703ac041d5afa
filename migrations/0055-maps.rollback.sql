do $$
declare
    one record;
begin
    for one in select version from papers.maps loop
        perform papers.drop_map(one.version);
    end loop;
end $$;
drop function papers.make_map, papers.index_map_sample, papers.finish_map, papers.drop_map;
drop table papers.unplaced, papers.maps;
