create or replace function diamonds.web_address(link text) returns text immutable parallel safe language sql
return case when octet_length(link) <= 2048 and link !~ '[^!-~]'
    and (link ^@ 'https://' and octet_length(link) > 8 or link ^@ 'http://' and octet_length(link) > 7) then link end;

drop function diamonds.name(text, boolean);
