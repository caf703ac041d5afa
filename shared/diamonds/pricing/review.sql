-- What consolidating the next pending rows would change, without changing anything.
-- Parameters: feed, run_id (or null), after (stone id to go on behind), withheld, batch (rows), and those of mapping.sql.
with claimed as materialized (
    select supplier_stone_id, offer_id, payload
    from diamonds.raw_diamonds
    where feed = %(feed)s and consolidation_status = 'pending' and supplier_stone_id > %(after)s
        and run_id <> all(%(withheld)s)
    order by supplier_stone_id
    limit %(batch)s
-- mapping.sql stands here
), compared as materialized (
    select c.supplier_stone_id, c.reason, c.price, d.price_model_price as before,
        d.raw_availability <> '' and c.raw_availability is null or d.lab_grown is not null and c.lab_grown is null
            or d.certificate_number <> '' and c.certificate_number is null as lost,
        d.feed_availability in ('sold', 'on_hold') and c.known_availability = 'available' and c.hold_id is null
            as back_on_sale,
        -- The supplier found the diamond in a range of whole dollars; one beside it may come of rounding.
        seen.run_id is not null and not exists (
            select from diamonds.run_sightings s join diamonds.worker_runs w using (run_id, partition_id)
            where s.run_id = seen.run_id and s.supplier_stone_id = c.supplier_stone_id
                and c.price >= (w.work_item_payload #>> '{prices,minimum}')::numeric - 1
                and c.price <= (w.work_item_payload #>> '{prices,maximum}')::numeric + 1
        ) as contradicting
    from checked c left join lateral ( -- by key, one by one: a join would read all diamonds for each batch
        select price_model_price, raw_availability, lab_grown, certificate_number, feed_availability
        from diamonds.diamonds
        where feed = %(feed)s and supplier_stone_id = c.supplier_stone_id and status = 'active' offset 0
    ) d on true cross join lateral ( -- in which run the supplier was last asked for it: this one, or that of the row
        select coalesce((
            select s.run_id from diamonds.run_sightings s
            where s.run_id = %(run_id)s and s.supplier_stone_id = c.supplier_stone_id limit 1
        ), (
            select s.run_id from diamonds.raw_diamonds r join diamonds.run_sightings s using (run_id, supplier_stone_id)
            where r.feed = %(feed)s and r.supplier_stone_id = c.supplier_stone_id limit 1
        )) as run_id offset 0
    ) seen
), worst as (
    select supplier_stone_id, before, price as after, round(greatest(price / before, before / price), 2) as factor
    from compared where reason is null and before <> price
    order by greatest(price / before, before / price) desc, supplier_stone_id limit 10
)
select count(*) as rows, count(*) filter (where reason is not null) as failed,
    count(*) filter (where reason is null and contradicting) as contradicting,
    count(*) filter (where reason is null and before is null) as new,
    count(*) filter (where reason is null and price > before) as dearer,
    count(*) filter (where reason is null and price < before) as cheaper,
    count(*) filter (where reason is null and (price > 2 * before or price < before / 2)) as jumped,
    count(*) filter (where reason is null and price = before) as unchanged,
    count(*) filter (where reason is null and lost) as lost,
    count(*) filter (where reason is null and back_on_sale) as back_on_sale,
    coalesce(sum(price - before) filter (where reason is null and price > before), 0) as up,
    coalesce(sum(before - price) filter (where reason is null and price < before), 0) as down,
    coalesce((select jsonb_agg(w order by factor desc, supplier_stone_id) from worst w), '[]') as worst,
    array_agg(supplier_stone_id) filter (where reason is null and contradicting) as odd,
    max(supplier_stone_id) as last
from compared
