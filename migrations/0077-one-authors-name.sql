-- All parts of a name that is asked for are sought in the name of one author; letters that Unicode does not take apart are
-- read as those that they are written by elsewhere. The same letters stand in shared/papers/sources/text.py.

-- The name of an author without case, accents and marks. A line end stays, so that several may be given.
create function papers.name_key(names text) returns text immutable parallel safe language sql
return case when octet_length(names) = char_length(names)
    then regexp_replace(lower(names), '[^a-z0-9\n]+', ' ', 'g')
    else regexp_replace(
        replace(replace(replace(
            translate(
                casefold(
                    regexp_replace(
                        normalize(names, NFKD), '[\u0300-\u036f\u0483-\u0487\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]',
                        '', 'g') collate pg_unicode_fast),
                'łøđðıħŧŋĸ', 'loddihtnk'),
            'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
        '[^[:alnum:]\n]+', ' ', 'g')
end;

create function papers.name_parts(authors text[]) returns text[] stable parallel safe language sql
return (select coalesce(array_agg(distinct part collate "C"), '{}')
    from regexp_split_to_table(papers.name_key(array_to_string(authors, E'\n')), '[ \n]+') part where part <> '');

update papers.papers set author_keys = papers.name_parts(authors)
where array_to_string(authors, '') ~ '[łŁøØđĐðÐıħĦŧŦŋŊĸæÆœŒþÞ]';
update papers.staged set author_keys = papers.name_parts(authors)
where array_to_string(authors, '') ~ '[łŁøØđĐðÐıħĦŧŦŋŊĸæÆœŒþÞ]';

drop function papers.name_parts;

-- An arXiv id of before 2007 is known without its class, and in lower case: math.GT/0309136 is math/0309136.
update papers.papers set arxiv_id = lower(regexp_replace(arxiv_id, '\.[^/]*', '')) where arxiv_id ~ '/' and arxiv_id ~ '[A-Z.]';
update papers.staged set arxiv_id = lower(regexp_replace(arxiv_id, '\.[^/]*', '')) where arxiv_id ~ '/' and arxiv_id ~ '[A-Z.]';
