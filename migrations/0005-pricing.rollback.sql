drop table diamonds.repricings;
drop trigger count_pricing_change on diamonds.pricing_rules;
drop trigger revise_pricing_rule on diamonds.pricing_rules;
drop function diamonds.count_pricing_change();
drop function diamonds.revise_pricing_rule();
drop table diamonds.pricing_version;
alter table diamonds.pricing_rules drop column revision;
