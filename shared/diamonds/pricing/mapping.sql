-- From the rows `claimed` (supplier_stone_id, offer_id, payload) to `checked`: what they hold, typed, and why a row cannot
-- be priced (`reason`). Consolidation and the review of a run both read it, so that they cannot differ.
-- Parameters: unit (100 for cents, 1 for dollars), words, no_id and the paths of shared.diamonds.ingestion.mapping.Mapping.
-- A path that is null gives null.
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
