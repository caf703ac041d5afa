create or replace function diamonds.plain(value text) returns text immutable parallel safe language sql
return nullif(btrim(case
    when value ~ '[^ -~]' or value ~ '  ' then regexp_replace(
        regexp_replace(normalize(value, NFKC), '[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]', '', 'g'),
        '\s+', ' ', 'g')
    else value
end), '');
create or replace function diamonds.no_word(field text, value text, most integer) returns text
immutable parallel safe language sql
return case
    when left(value, 1) in ('{', '[') and (value is json object or value is json array)
        then field || ': an object or a list, not a word'
    when length(value) > most then field || ': longer than ' || most || ' characters'
end;
