-- Claims pending rows, maps and prices them, and writes down what became of each, in one statement.
-- Parameters: feed, worker, after (stone id to claim behind), only (one stone id, or null), batch (rows), unit (100 for cents, 1 for dollars),
-- words and the paths of shared.diamonds.pricing.mapping.Mapping. A path that is null gives null.
-- It must not fail on any payload: casts are checked, lengths are bounded. If it does all the same, `consolidate` halves
-- the claim until the bad row is alone (parameter only).
with claimed as materialized (
    select supplier_stone_id, offer_id, payload
    from diamonds.raw_diamonds
    where feed = %(feed)s and consolidation_status = 'pending' and supplier_stone_id > %(after)s
        and (%(only)s::text is null or supplier_stone_id = %(only)s)
    order by supplier_stone_id
    limit %(batch)s
    for update skip locked
), extracted as materialized (
    select supplier_stone_id, offer_id,
        upper(btrim(coalesce(%(words)s::jsonb #>> array['shape', payload #>> %(shape)s], payload #>> %(shape)s)))
            as shape,
        payload #>> %(carats)s as carats_sent,
        payload #>> %(price)s as price_sent,
        coalesce(%(words)s::jsonb #>> array['lab_grown', payload #>> %(lab_grown)s], payload #>> %(lab_grown)s)
            as lab_grown_sent,
        payload #>> %(treated)s as treated_sent,
        nullif(upper(btrim(payload #>> %(color)s)), '') as color,
        nullif(upper(btrim(payload #>> %(clarity)s)), '') as clarity,
        nullif(btrim(payload #>> %(cut)s), '') as cut,
        nullif(btrim(payload #>> %(polish)s), '') as polish,
        nullif(btrim(payload #>> %(symmetry)s), '') as symmetry,
        nullif(btrim(payload #>> %(fluorescence)s), '') as fluorescence,
        nullif(btrim(payload #>> %(availability)s), '') as raw_availability,
        coalesce(%(words)s::jsonb #>> array['availability', payload #>> %(availability)s],
            nullif(btrim(payload #>> %(availability)s), '')) as known_availability,
        nullif(payload #>> %(hold_id)s, '') as hold_id,
        diamonds.web_address(payload #>> %(image_url)s) as image_url,
        diamonds.web_address(payload #>> %(video_url)s) as video_url,
        payload #>> %(certificate_lab)s as certificate_lab,
        payload #>> %(certificate_number)s as certificate_number,
        payload #>> %(supplier_name)s as supplier_name,
        payload #>> %(supplier_stock_id)s as supplier_stock_id,
        jsonb_strip_nulls(jsonb_build_object(
            'length', coalesce(diamonds.detail(payload #> %(length)s), to_jsonb(mm[1]::numeric)),
            'width', coalesce(diamonds.detail(payload #> %(width)s), to_jsonb(mm[2]::numeric)),
            'depth', coalesce(diamonds.detail(payload #> %(depth)s), to_jsonb(mm[3]::numeric)),
            'depth_percentage', diamonds.detail(payload #> %(depth_percentage)s),
            'table_percentage', diamonds.detail(payload #> %(table_percentage)s)
        )) as measurements,
        jsonb_strip_nulls(jsonb_build_object(
            'eye_clean', diamonds.detail(payload #> %(eye_clean)s), 'brown', diamonds.detail(payload #> %(brown)s),
            'green', diamonds.detail(payload #> %(green)s), 'milky', diamonds.detail(payload #> %(milky)s),
            'fluorescence_color', diamonds.detail(payload #> %(fluorescence_color)s),
            'discount', diamonds.detail(payload #> %(discount)s),
            'markup_price', diamonds.detail(payload #> %(markup_price)s)
        )) as attributes
    from claimed, lateral (
        select regexp_match(payload #>> %(dimensions)s,
            '^\s*(\d{1,6}(?:\.\d{1,6})?)\s*x\s*(\d{1,6}(?:\.\d{1,6})?)\s*x\s*(\d{1,6}(?:\.\d{1,6})?)\s*$') as mm
    ) dimensions
), typed as materialized (
    select *,
        case when pg_input_is_valid(carats_sent, 'numeric(6,2)') then carats_sent::numeric(6, 2) end as carats,
        case when pg_input_is_valid(price_sent, 'numeric') then round(price_sent::numeric / %(unit)s, 2) end as price,
        case when pg_input_is_valid(lab_grown_sent, 'boolean') then lab_grown_sent::boolean end as lab_grown,
        case when pg_input_is_valid(treated_sent, 'boolean') then treated_sent::boolean end as treated
    from extracted
), checked as materialized (
    select *,
        nullif(concat_ws('; ',
            case when starts_with(supplier_stone_id, %(no_id)s) then 'id: missing or unusable' end,
            case when coalesce(shape, '') = '' then 'shape: missing'
                else diamonds.too_long('shape', shape, 50) end,
            case when carats_sent is null then 'carats: missing'
                when carats between 0.01 and 9999.99 then null
                else format('carats: "%%s" is not a number from 0.01 to 9999.99', left(carats_sent, 40)) end,
            case when price_sent is null then 'price: missing'
                when price between 0.01 and 99999999.99 then null
                else format('price: "%%s" is not an amount of 0.01 to 99999999.99 dollars', left(price_sent, 40)) end,
            diamonds.too_long('color', color, 50), diamonds.too_long('clarity', clarity, 50),
            diamonds.too_long('cut', cut, 50), diamonds.too_long('polish', polish, 50),
            diamonds.too_long('symmetry', symmetry, 50), diamonds.too_long('fluorescence', fluorescence, 50),
            diamonds.too_long('availability', raw_availability, 50), diamonds.too_long('hold_id', hold_id, 200),
            diamonds.too_long('certificate_lab', certificate_lab, 50),
            diamonds.too_long('certificate_number', certificate_number, 100),
            diamonds.too_long('supplier_name', supplier_name, 200),
            diamonds.too_long('supplier_stock_id', supplier_stock_id, 200),
            case when lab_grown_sent is not null and lab_grown is null
                then format('lab_grown: "%%s" is neither true nor false', left(lab_grown_sent, 40)) end,
            case when treated_sent is not null and treated is null
                then format('treated: "%%s" is neither true nor false', left(treated_sent, 40)) end
        ), '') as reason
    from typed
), priced as (
    select s.*, m.markup_ratio, m.rating,
        case
            when hold_id is not null or upper(known_availability) in ('ON_HOLD', 'HOLD') then 'on_hold'
            when known_availability is null or upper(known_availability) = 'AVAILABLE' then 'available'
            when upper(known_availability) = 'SOLD' then 'sold'
            else 'unavailable'
        end as availability
    from checked s cross join lateral diamonds.markup_of(%(feed)s, s.shape, s.carats, s.lab_grown) m
    where s.reason is null
), written as (
    insert into diamonds.diamonds as d (
        feed, supplier_stone_id, offer_id, shape, carats, color, clarity, cut, polish, symmetry, fluorescence,
        lab_grown, treated, price_model_price, price_per_carat, retail_price, markup_ratio, rating,
        availability, feed_availability, raw_availability, hold_id, image_url, video_url, certificate_lab,
        certificate_number, measurements, attributes, supplier_name, supplier_stock_id
    )
    select %(feed)s, supplier_stone_id, offer_id, shape, carats, color, clarity, cut, polish, symmetry, fluorescence,
        lab_grown, treated, price, round(price / carats, 2), diamonds.retail_price(price, markup_ratio), markup_ratio,
        rating, availability, availability, raw_availability, hold_id, image_url, video_url, certificate_lab,
        certificate_number, measurements, attributes, supplier_name, supplier_stock_id
    from priced
    order by supplier_stone_id
    on conflict (feed, supplier_stone_id) do update set
        offer_id = excluded.offer_id, shape = excluded.shape, carats = excluded.carats, color = excluded.color,
        clarity = excluded.clarity, cut = excluded.cut, polish = excluded.polish, symmetry = excluded.symmetry,
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
), marked as (
    update diamonds.raw_diamonds r
    set consolidation_status = case when s.reason is null then 'done' else 'failed' end, failure_reason = s.reason,
        claimed_at = now(), claimed_by = %(worker)s, consolidated_at = now(), updated_at = now()
    from checked s
    where r.feed = %(feed)s and r.supplier_stone_id = s.supplier_stone_id
    returning r.supplier_stone_id, r.consolidation_status
)
select count(*) filter (where consolidation_status = 'done') as done,
    count(*) filter (where consolidation_status = 'failed') as failed,
    max(supplier_stone_id) as last
from marked
