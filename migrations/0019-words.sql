-- Words are brought into one form where they enter, and numbers are decimal.

-- A text as people mean it: compatibility forms become plain ones, what has no width goes, and runs of blanks, tabs and
-- no-break spaces become one blank. An empty one is null.
create function diamonds.plain(value text) returns text immutable parallel safe language sql
return nullif(btrim(case
    when value ~ '[^ -~]' or value ~ '  ' then regexp_replace(
        regexp_replace(normalize(value, NFKC), '[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]', '', 'g'),
        '\s+', ' ', 'g')
    else value
end), '');

-- The same of a word out of a vocabulary, in upper case; the usual ways to say that there is none are null.
create function diamonds.word(value text) returns text immutable parallel safe language sql
return nullif(nullif(nullif(nullif(upper(diamonds.plain(value)), 'NONE'), 'NULL'), 'N/A'), '-');

-- What is wrong with a word: it is an object or a list, or longer than `most` characters; else null.
create function diamonds.no_word(field text, value text, most integer) returns text immutable parallel safe language sql
return case
    when left(value, 1) in ('{', '[') and (value is json object or value is json array)
        then field || ': an object or a list, not a word'
    when length(value) > most then field || ': longer than ' || most || ' characters'
end;

-- Whether a text is a decimal number as JSON writes them: PostgreSQL itself also reads 0x186A0 and 100_000.
create function diamonds.is_decimal(value text) returns boolean immutable parallel safe language sql
return value ~ '^\s*[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?\s*$';

drop function diamonds.too_long(text, text, integer);

-- Stones are weighed to a thousandth of a carat.
drop index diamonds.diamonds_by_price, diamonds.diamonds_by_grade;
alter table diamonds.diamonds drop column carat_class;
alter table diamonds.diamonds alter column carats type numeric(7, 3);
alter table diamonds.diamonds add column carat_class smallint not null generated always as (
    2 * width_bucket(carats, array[0.3, 0.4, 0.5, 0.7, 0.9, 1.0, 1.2, 1.5, 2, 3]::numeric[])
    + case when lab_grown then 1 else 0 end) stored;
create index diamonds_by_price on diamonds.diamonds
    (carat_class, price_model_price, id, lab_grown, color, clarity, shape, upper(cut), carats)
    include (cut) where status = 'active';
create index diamonds_by_grade on diamonds.diamonds
    (shape, color, clarity, upper(cut), lab_grown, carats, price_model_price, id)
    include (cut, created_at, color_grade, clarity_grade, carat_class) where status = 'active';
