drop statistics diamonds.diamonds_cut;
drop index diamonds.diamonds_by_price, diamonds.diamonds_by_carats, diamonds.diamonds_by_created_at,
    diamonds.diamonds_by_color, diamonds.diamonds_by_clarity, diamonds.diamonds_by_grade, diamonds.diamonds_sample;

create index diamonds_by_price on diamonds.diamonds (carat_class, price_model_price, id)
    include (carats, shape, color, clarity, cut, lab_grown) where status = 'active';
create index diamonds_by_carats on diamonds.diamonds (price_class, carats, id)
    include (price_model_price, shape, color, clarity, cut, lab_grown) where status = 'active';
create index diamonds_by_created_at on diamonds.diamonds (created_at, id)
    include (carats, price_model_price, shape, color, clarity, cut, lab_grown) where status = 'active';
create index diamonds_by_color on diamonds.diamonds (color_grade, id)
    include (carats, price_model_price, shape, color, clarity, cut, lab_grown) where status = 'active';
create index diamonds_by_clarity on diamonds.diamonds (clarity_grade, id)
    include (carats, price_model_price, shape, color, clarity, cut, lab_grown) where status = 'active';
-- Where the filters leave few diamonds, those are found here and sorted.
create index diamonds_by_grade on diamonds.diamonds
    (shape, color, clarity, cut, lab_grown, carats, price_model_price, id)
    include (created_at, color_grade, clarity_grade, carat_class) where status = 'active';
-- One diamond in 32: how many fit the filters is estimated from these.
create index diamonds_sample on diamonds.diamonds (carats, price_model_price, shape, color, clarity, cut, lab_grown)
    where status = 'active' and id % 32 = 0;
