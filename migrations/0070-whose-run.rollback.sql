alter table diamonds.run_metadata drop column hub;
