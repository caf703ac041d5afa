drop trigger count_added on diamonds.diamonds;
drop trigger count_changed on diamonds.diamonds;
drop trigger count_removed on diamonds.diamonds;
drop trigger count_truncated on diamonds.diamonds;
drop function diamonds.count_offer, diamonds.fold_offer_figures;
drop view diamonds.offer_now;
drop index diamonds.diamonds_held;
drop table diamonds.offer_figures;
drop function diamonds.price_bar;
