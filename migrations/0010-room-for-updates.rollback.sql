alter table diamonds.diamonds reset (fillfactor);
