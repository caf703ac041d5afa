alter table diamonds.raw_diamonds drop constraint raw_diamonds_feed_check;
alter table diamonds.raw_diamonds add constraint raw_diamonds_feed_check check (feed ~ '^[a-z][a-z0-9-]{0,30}$');
