drop view diamonds.offer_now;
drop function diamonds.availability_now(text, timestamptz, text);
alter table diamonds.diamonds drop column feed_availability;
create function diamonds.availability_now(availability text, hold_expires_at timestamptz, raw_availability text)
returns text language sql stable return case
    when hold_expires_at is null or hold_expires_at > now() then availability
    when raw_availability is null or upper(raw_availability) = 'AVAILABLE' then 'available'
    when upper(raw_availability) in ('ON_HOLD', 'HOLD') then 'on_hold'
    when upper(raw_availability) = 'SOLD' then 'sold'
    else 'unavailable'
end;
create view diamonds.offer_now as
select feed, status, shape, availability, bar, diamonds, value, supplier_value from diamonds.offer_figures
union all
select feed, status, shape, diamonds.availability_now(availability, hold_expires_at, raw_availability),
    diamonds.price_bar(retail_price), 1, retail_price, price_model_price
from diamonds.diamonds where hold_expires_at is not null;
