-- What a supplier sends is bounded before it reaches an index or a page.

create function diamonds.too_long(field text, value text, most integer) returns text immutable parallel safe language sql
return case when length(value) > most then field || ': longer than ' || most || ' characters' end;

-- A link that a browser opens as a page or picture and never runs; null for anything else.
create function diamonds.web_address(link text) returns text immutable parallel safe language sql
return case when length(link) <= 2048 and link ~ '^https?://[!-~]+$' then link end;

-- A measurement or a trait as the supplier wrote it, if it is a number, a truth value or a short text.
create function diamonds.detail(value jsonb) returns jsonb immutable parallel safe language sql
return case when length(value::text) <= 102 and jsonb_typeof(value) in ('number', 'boolean', 'string') then value end;
