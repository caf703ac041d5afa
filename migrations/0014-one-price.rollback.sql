drop function diamonds.markup_of;
drop function diamonds.retail_price;
drop trigger tidy_pricing_rule on diamonds.pricing_rules;
drop function diamonds.tidy_pricing_rule();
