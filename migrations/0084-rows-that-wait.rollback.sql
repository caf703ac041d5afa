alter table diamonds.run_differences drop column listed, drop column waiting;
