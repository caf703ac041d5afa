-- A certificate's number is compared as the lab's name is, and "None" is no name of anything.

create function diamonds.name(value text, unusual boolean) returns text immutable parallel safe language sql
return nullif(nullif(nullif(nullif(nullif(nullif(nullif(nullif(nullif(diamonds.plain(value, unusual),
    'None'), 'none'), 'NONE'), 'null'), 'Null'), 'NULL'), 'N/A'), 'n/a'), '-');

update diamonds.diamonds set certificate_number = diamonds.word(certificate_number, true)
where certificate_number is distinct from diamonds.word(certificate_number, true);

-- The name of the scheme may be written in any case; it is stored in lower case.
create or replace function diamonds.web_address(link text) returns text immutable parallel safe language sql
return case when octet_length(link) <= 2048 and link !~ '[^!-~]' then case
    when link ^@ 'https://' and octet_length(link) > 8 or link ^@ 'http://' and octet_length(link) > 7 then link
    when lower(left(link, 8)) = 'https://' and octet_length(link) > 8 then 'https' || substr(link, 6)
    when lower(left(link, 7)) = 'http://' and octet_length(link) > 7 then 'http' || substr(link, 5)
end end;
