-- A search that passes over diamonds must not read their rows. An index answers alone only for pages that were vacuumed
-- since they changed, and a run changes most pages: what stands under INCLUDE is looked at after the row was read for
-- its visibility, what is part of the key before. So all that can be filtered by is a key; `cut` stands beside
-- upper(cut) since the planner asks for the column that an expression is made of.
drop index diamonds.diamonds_by_price, diamonds.diamonds_by_carats, diamonds.diamonds_by_created_at,
    diamonds.diamonds_by_color, diamonds.diamonds_by_clarity, diamonds.diamonds_by_grade, diamonds.diamonds_sample;

create index diamonds_by_price on diamonds.diamonds
    (carat_class, price_model_price, id, lab_grown, color, clarity, shape, upper(cut), carats)
    include (cut) where status = 'active';
create index diamonds_by_carats on diamonds.diamonds
    (price_class, carats, id, lab_grown, color, clarity, shape, upper(cut), price_model_price)
    include (cut) where status = 'active';
create index diamonds_by_created_at on diamonds.diamonds
    (created_at, id, lab_grown, color, clarity, shape, upper(cut), carats, price_model_price)
    include (cut) where status = 'active';
create index diamonds_by_color on diamonds.diamonds
    (color_grade, id, lab_grown, color, clarity, shape, upper(cut), carats, price_model_price)
    include (cut) where status = 'active';
create index diamonds_by_clarity on diamonds.diamonds
    (clarity_grade, id, lab_grown, color, clarity, shape, upper(cut), carats, price_model_price)
    include (cut) where status = 'active';
-- Where the filters leave few diamonds, those are found here and sorted.
create index diamonds_by_grade on diamonds.diamonds
    (shape, color, clarity, upper(cut), lab_grown, carats, price_model_price, id)
    include (cut, created_at, color_grade, clarity_grade, carat_class) where status = 'active';
-- One diamond in 32, in no order that anything follows: from how far one has to read for the first thousand that fit
-- follows how many there are.
create index diamonds_sample on diamonds.diamonds
    (hashint8(id), lab_grown, color, clarity, shape, upper(cut), carats, price_model_price)
    include (id, cut) where status = 'active' and hashint8(id) % 32 = 0;
-- What the planner knows of a partial index's expression it does not use.
create statistics diamonds.diamonds_cut on (upper(cut)) from diamonds.diamonds;
