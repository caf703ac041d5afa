-- Claims pending rows, maps and prices them, and writes down what became of each, in one statement.
-- Parameters: feed, worker, after (stone id to claim behind), only (stone ids, or null), withheld (runs
-- whose rows are left alone), batch (rows), and those of mapping.sql.
-- It must not fail on any payload: casts are checked, lengths are bounded. If it does all the same, `consolidate` halves
-- the claim until the bad row is alone (parameter only).
with claimed as materialized (
    select supplier_stone_id, offer_id, payload
    from diamonds.raw_diamonds
    where feed = %(feed)s and consolidation_status = 'pending' and supplier_stone_id > %(after)s
        and (%(only)s::text[] is null or supplier_stone_id = any(%(only)s)) and run_id <> all(%(withheld)s)
    order by supplier_stone_id
    limit %(batch)s
    for update skip locked
-- mapping.sql stands here
), priced as (
    select s.*, m.markup_ratio, m.rating,
        case when hold_id is not null and known_availability = 'available' then 'on_hold' else known_availability
        end as availability
    from checked s cross join lateral diamonds.markup_of(%(feed)s, s.shape, s.carats, s.lab_grown) m
    where s.reason is null
), written as (
    insert into diamonds.diamonds as d (
        feed, supplier_stone_id, offer_id, shape, carats, color, fancy_color, fancy_intensity, fancy_overtone, clarity,
        cut, polish, symmetry, fluorescence,
        lab_grown, lab_grown_type, treated, price_model_price, price_per_carat, retail_price, markup_ratio, rating,
        availability, feed_availability, raw_availability, hold_id, image_url, video_url, certificate_lab,
        certificate_number, certificate_url, measurements, attributes, supplier_name, supplier_stock_id
    )
    select %(feed)s, supplier_stone_id, offer_id, shape, carats, color, fancy_color, fancy_intensity, fancy_overtone,
        clarity, cut, polish, symmetry, fluorescence, lab_grown, lab_grown_type, treated, price,
        round(price / carats, 2), diamonds.retail_price(price, markup_ratio), markup_ratio,
        rating, availability, availability, raw_availability, hold_id, image_url, video_url, certificate_lab,
        certificate_number, certificate_url, measurements, attributes, supplier_name, supplier_stock_id
    from priced
    order by supplier_stone_id
    on conflict (feed, supplier_stone_id) do update set
        offer_id = excluded.offer_id, shape = excluded.shape, carats = excluded.carats, color = excluded.color,
        fancy_color = excluded.fancy_color, fancy_intensity = excluded.fancy_intensity,
        fancy_overtone = excluded.fancy_overtone, lab_grown_type = excluded.lab_grown_type,
        certificate_url = excluded.certificate_url, clarity = excluded.clarity, cut = excluded.cut,
        polish = excluded.polish, symmetry = excluded.symmetry,
        fluorescence = excluded.fluorescence, lab_grown = excluded.lab_grown, treated = excluded.treated,
        price_model_price = excluded.price_model_price, price_per_carat = excluded.price_per_carat,
        retail_price = excluded.retail_price, markup_ratio = excluded.markup_ratio, rating = excluded.rating,
        -- A hold or a purchase of ours outlasts what the supplier says.
        availability = case when d.hold_expires_at > now() then d.availability else excluded.availability end,
        hold_id = case when d.hold_expires_at > now() then d.hold_id else excluded.hold_id end,
        feed_availability = excluded.feed_availability, raw_availability = excluded.raw_availability,
        image_url = excluded.image_url, video_url = excluded.video_url, certificate_lab = excluded.certificate_lab,
        certificate_number = excluded.certificate_number, measurements = excluded.measurements,
        attributes = excluded.attributes, supplier_name = excluded.supplier_name,
        supplier_stock_id = excluded.supplier_stock_id, status = 'active', deleted_at = null, updated_at = now()
    -- Another certificate is another diamond: its id was used again. `consolidate` then retires the old one. Where one
    -- of the two has no certificate, another weight or shape tells.
    where case when d.certificate_number <> '' and excluded.certificate_number <> ''
        then d.certificate_number = excluded.certificate_number
            and coalesce(d.certificate_lab = excluded.certificate_lab, true)
        else d.carats = excluded.carats and d.shape = excluded.shape end
    returning supplier_stone_id
), unusable as (
    -- Looked up by key, one by one: planned as a join, it would read all diamonds for each claim.
    select d.id from checked s cross join lateral (
        select id from diamonds.diamonds
        where feed = %(feed)s and supplier_stone_id = s.supplier_stone_id and status = 'active' offset 0
        for update
    ) d
    where s.reason is not null
), withdrawn as (
    -- What cannot be priced any more is not for sale; a hold of ours lasts until its time.
    update diamonds.diamonds d set feed_availability = 'unavailable', updated_at = now(),
        availability = case when d.hold_expires_at > now() then d.availability else 'unavailable' end
    from unusable where d.id = unusable.id and d.feed_availability <> 'unavailable'
), marked as (
    update diamonds.raw_diamonds r
    set consolidation_status = case when s.reason is null then 'done' else 'failed' end, failure_reason = s.reason,
        claimed_at = now(), claimed_by = %(worker)s, consolidated_at = now(), updated_at = now()
    from checked s left join written w using (supplier_stone_id)
    where (s.reason is not null or w.supplier_stone_id is not null)
        and r.feed = %(feed)s and r.supplier_stone_id = s.supplier_stone_id
    returning r.supplier_stone_id, r.consolidation_status
)
select count(*) filter (where consolidation_status = 'done') as done,
    count(*) filter (where consolidation_status = 'failed') as failed,
    max(supplier_stone_id) as last,
    case when (select count(*) from checked where reason is null) > (select count(*) from written) then (
        select array_agg(supplier_stone_id order by supplier_stone_id) from (
            select supplier_stone_id from checked where reason is null except select supplier_stone_id from written
        ) unwritten
    ) end as reused
from marked
