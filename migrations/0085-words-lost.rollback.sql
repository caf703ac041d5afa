alter table diamonds.run_differences drop column lost, drop column back_on_sale;
