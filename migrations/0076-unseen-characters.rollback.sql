create or replace function diamonds.plain(value text, unusual boolean) returns text
immutable parallel safe language sql
return nullif(btrim(case
    when unusual then regexp_replace(
        regexp_replace(normalize(value, NFKC), '[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]', '', 'g'),
        '\s+', ' ', 'g')
    else value
end), '');
