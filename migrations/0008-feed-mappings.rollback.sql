drop table diamonds.feed_mappings;
