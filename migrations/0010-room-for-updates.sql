-- Half of each page stays free for new versions of its rows: a night that brings a diamond again with the price it had,
-- and a re-pricing, then write the row and none of its indexes. Without room the table grows as large.
alter table diamonds.diamonds set (fillfactor = 50);
