create or replace function diamonds.web_address(link text) returns text immutable parallel safe language sql
return case when length(link) <= 2048 and link ~ '^https?://[!-~]+$' then link end;

create or replace function diamonds.color_grade(color text) returns smallint immutable language sql
return case when color ~ '^[D-Z]$' then ascii(color) - ascii('C') else 99 end;

create or replace function diamonds.detail(value jsonb) returns jsonb immutable parallel safe language sql
return case when length(value::text) <= 102 and jsonb_typeof(value) in ('number', 'boolean', 'string') then value end;

drop function diamonds.no_word(text, text, integer, boolean);
drop function diamonds.word(text, boolean);
drop function diamonds.plain(text, boolean);
