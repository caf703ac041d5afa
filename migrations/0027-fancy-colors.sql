-- What a diamond with a fancy colour has instead of a grade, how a lab-grown one was made, and where its report is.
alter table diamonds.diamonds
    add column fancy_color text,
    add column fancy_intensity text,
    add column fancy_overtone text,
    add column lab_grown_type text,
    add column certificate_url text;
