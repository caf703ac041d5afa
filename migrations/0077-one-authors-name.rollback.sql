drop function papers.name_key;
