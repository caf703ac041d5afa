drop index diamonds.diamonds_by_price, diamonds.diamonds_by_grade;
alter table diamonds.diamonds drop column carat_class;
alter table diamonds.diamonds alter column carats type numeric(6, 2);
alter table diamonds.diamonds add column carat_class smallint not null generated always as (
    2 * width_bucket(carats, array[0.3, 0.4, 0.5, 0.7, 0.9, 1.0, 1.2, 1.5, 2, 3]::numeric[])
    + case when lab_grown then 1 else 0 end) stored;
create index diamonds_by_price on diamonds.diamonds
    (carat_class, price_model_price, id, lab_grown, color, clarity, shape, upper(cut), carats)
    include (cut) where status = 'active';
create index diamonds_by_grade on diamonds.diamonds
    (shape, color, clarity, upper(cut), lab_grown, carats, price_model_price, id)
    include (cut, created_at, color_grade, clarity_grade, carat_class) where status = 'active';
create function diamonds.too_long(field text, value text, most integer) returns text immutable parallel safe language sql
return case when length(value) > most then field || ': longer than ' || most || ' characters' end;
drop function diamonds.is_decimal(text);
drop function diamonds.no_word(text, text, integer);
drop function diamonds.word(text);
drop function diamonds.plain(text);
