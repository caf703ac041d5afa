alter table diamonds.partition_progress drop column empty_pages;
