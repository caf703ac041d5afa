alter table diamonds.purchase_history drop column diamond;
