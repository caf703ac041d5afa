-- What the feed says of a diamond in the app's words, whatever its own are: it counts again once a hold of ours ends.
alter table diamonds.diamonds add column feed_availability text not null default 'available';
-- Where no hold of ours stands, that is what is written; and only what was available could be held.
update diamonds.diamonds set feed_availability = availability
where hold_expires_at is null and availability <> 'available';

drop view diamonds.offer_now;
drop function diamonds.availability_now(text, timestamptz, text);
create function diamonds.availability_now(availability text, hold_expires_at timestamptz, feed_availability text)
returns text language sql stable
return case when hold_expires_at is null or hold_expires_at > now() then availability else feed_availability end;

create view diamonds.offer_now as
select feed, status, shape, availability, bar, diamonds, value, supplier_value from diamonds.offer_figures
union all
select feed, status, shape, diamonds.availability_now(availability, hold_expires_at, feed_availability),
    diamonds.price_bar(retail_price), 1, retail_price, price_model_price
from diamonds.diamonds where hold_expires_at is not null;
