-- What is on offer, counted by whoever changes it, in the same transaction: the summary adds up some thousand rows
-- instead of half a million, is never stale, and nobody who writes diamonds can forget it.
lock table diamonds.diamonds in share row exclusive mode; -- nothing changes between the first count and the triggers

-- Where the bars of the price distribution begin, US dollars; shared/diamonds/analytics.py holds the same bounds.
create function diamonds.price_bar(price numeric) returns smallint immutable parallel safe language sql
return width_bucket(price, array[0, 250, 500, 1000, 1500, 2500, 4000, 6000, 9000, 13000, 20000, 50000]::numeric[]) - 1;

-- Each row is a difference; their sum counts. Only added to, so that writers never wait for one another here.
-- Diamonds with a hold are left out: how those are to be called changes by the clock.
create table diamonds.offer_figures (
    feed text not null,
    status text not null,
    shape text not null,
    availability text not null,
    bar smallint not null,
    diamonds bigint not null,
    value numeric not null, -- of the retail prices
    supplier_value numeric not null
);
create index diamonds_held on diamonds.diamonds (id) where hold_expires_at is not null;

create function diamonds.count_offer() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into diamonds.offer_figures
        select feed, status, shape, availability, diamonds.price_bar(retail_price),
            count(*), sum(retail_price), sum(price_model_price)
        from after_change where hold_expires_at is null group by 1, 2, 3, 4, 5;
    elsif tg_op = 'DELETE' then
        insert into diamonds.offer_figures
        select feed, status, shape, availability, diamonds.price_bar(retail_price),
            -count(*), -sum(retail_price), -sum(price_model_price)
        from before_change where hold_expires_at is null group by 1, 2, 3, 4, 5;
    elsif tg_op = 'UPDATE' then
        insert into diamonds.offer_figures
        select feed, status, shape, availability, diamonds.price_bar(retail_price),
            sum(sign), sum(sign * retail_price), sum(sign * price_model_price)
        from (
            select 1 as sign, feed, status, shape, availability, retail_price, price_model_price
            from after_change where hold_expires_at is null
            union all
            select -1, feed, status, shape, availability, retail_price, price_model_price
            from before_change where hold_expires_at is null
        ) changed
        group by 1, 2, 3, 4, 5
        having sum(sign) <> 0 or sum(sign * retail_price) <> 0 or sum(sign * price_model_price) <> 0;
    else
        delete from diamonds.offer_figures; -- truncated
    end if;
    return null;
end $$;
create trigger count_added after insert on diamonds.diamonds
    referencing new table as after_change for each statement execute function diamonds.count_offer();
create trigger count_changed after update on diamonds.diamonds
    referencing old table as before_change new table as after_change
    for each statement execute function diamonds.count_offer();
create trigger count_removed after delete on diamonds.diamonds
    referencing old table as before_change for each statement execute function diamonds.count_offer();
create trigger count_truncated after truncate on diamonds.diamonds
    for each statement execute function diamonds.count_offer();

-- What to add up: the differences, and the diamonds with a hold as they are at this moment.
create view diamonds.offer_now as
select feed, status, shape, availability, bar, diamonds, value, supplier_value from diamonds.offer_figures
union all
select feed, status, shape, diamonds.availability_now(availability, hold_expires_at, raw_availability),
    diamonds.price_bar(retail_price), 1, retail_price, price_model_price
from diamonds.diamonds where hold_expires_at is not null;

-- Makes few rows of many, every night. Two at once do no harm: each adds up what it has taken away.
create function diamonds.fold_offer_figures() returns void language sql
begin atomic
    with taken as (delete from diamonds.offer_figures returning *)
    insert into diamonds.offer_figures
    select feed, status, shape, availability, bar, sum(diamonds), sum(value), sum(supplier_value)
    from taken group by 1, 2, 3, 4, 5
    having sum(diamonds) <> 0 or sum(value) <> 0 or sum(supplier_value) <> 0;
end;

insert into diamonds.offer_figures
select feed, status, shape, availability, diamonds.price_bar(retail_price),
    count(*), sum(retail_price), sum(price_model_price)
from diamonds.diamonds where hold_expires_at is null group by 1, 2, 3, 4, 5;
