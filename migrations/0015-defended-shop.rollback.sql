drop function diamonds.detail(jsonb);
drop function diamonds.web_address(text);
drop function diamonds.too_long(text, text, integer);
