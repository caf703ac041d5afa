drop table diamonds.run_differences;
alter table diamonds.run_metadata drop column released, drop column withheld;
