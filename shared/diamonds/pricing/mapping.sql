-- From the rows `claimed` (supplier_stone_id, offer_id, payload) to `checked`: what they hold, typed, and why a row
-- cannot be priced (`reason`). Consolidation and the review of a run both read it, so that they cannot differ.
-- Parameters: unit (100 for cents, 1 for dollars), vocabulary, no_id and the paths of a feed's Mapping. statements.py puts a
-- step from the nearest object in place of `payload` and a path, and null where the feed has none.
-- `offset 0` has each stage computed once for the next one, and nothing is stored between them.
), read as (
    -- Each path is followed once, and the payload goes no further. Whether any word is unusual is seen once for all of
    -- them: characters beyond ASCII, blanks in a row, a bracket. Most rows have none and take the short way.
    select *,
        concat_ws('|', shape, lab_grown, treated, lab_grown_type, fancy_color, fancy_intensity, fancy_overtone, color,
            clarity, cut, polish, symmetry, fluorescence, availability, hold_id, certificate_lab, certificate_number,
            supplier_name, supplier_stock_id) ~ '[^ -Z\\^-z|~]|  ' as unusual
    from (
        select supplier_stone_id, offer_id,
            payload #>> %(shape)s as shape, payload #>> %(carats)s as carats_sent, payload #>> %(price)s as price_sent,
            jsonb_typeof(payload #> %(carats)s) = 'number' as carats_are_number,
            jsonb_typeof(payload #> %(price)s) = 'number' as price_is_number,
            payload #>> %(lab_grown)s as lab_grown, payload #>> %(treated)s as treated,
            payload #>> %(lab_grown_type)s as lab_grown_type, payload #>> %(fancy_color)s as fancy_color,
            payload #>> %(fancy_intensity)s as fancy_intensity, payload #>> %(fancy_overtone)s as fancy_overtone,
            payload #>> %(color)s as color, payload #>> %(clarity)s as clarity, payload #>> %(cut)s as cut,
            payload #>> %(polish)s as polish, payload #>> %(symmetry)s as symmetry,
            payload #>> %(fluorescence)s as fluorescence, payload #>> %(availability)s as availability,
            payload #>> %(hold_id)s as hold_id, btrim(payload #>> %(image_url)s) as image_url,
            btrim(payload #>> %(video_url)s) as video_url, btrim(payload #>> %(second_video_url)s) as second_video_url,
            btrim(payload #>> %(certificate_url)s) as certificate_url,
            payload #>> %(certificate_lab)s as certificate_lab,
            payload #>> %(certificate_number)s as certificate_number, payload #>> %(supplier_name)s as supplier_name,
            payload #>> %(supplier_stock_id)s as supplier_stock_id,
            payload #> %(length)s as length, payload #> %(width)s as width, payload #> %(depth)s as depth,
            payload #> %(depth_percentage)s as depth_percentage, payload #> %(table_percentage)s as table_percentage,
            payload #> %(eye_clean)s as eye_clean, payload #> %(brown)s as brown, payload #> %(green)s as green,
            payload #> %(milky)s as milky, payload #> %(fluorescence_color)s as fluorescence_color,
            payload #> %(discount)s as discount, payload #> %(markup_price)s as markup_price,
            regexp_match(payload #>> %(dimensions)s,
                '^\s*(\d{1,6}(?:\.\d{1,6})?)\s*x\s*(\d{1,6}(?:\.\d{1,6})?)\s*x\s*(\d{1,6}(?:\.\d{1,6})?)\s*$') as mm
        from claimed offset 0 -- else each path would be followed again for each use
    ) followed offset 0
), sent as (
    select supplier_stone_id, offer_id, carats_sent, price_sent, carats_are_number, price_is_number, unusual,
        diamonds.word(shape, unusual) as shape_sent, diamonds.word(lab_grown, unusual) as lab_grown_sent,
        diamonds.word(treated, unusual) as treated_sent, diamonds.word(lab_grown_type, unusual) as lab_grown_type,
        diamonds.word(fancy_color, unusual) as fancy_color, diamonds.word(fancy_intensity, unusual) as intensity_sent,
        diamonds.word(fancy_overtone, unusual) as fancy_overtone,
        diamonds.word(color, unusual) as color, diamonds.word(clarity, unusual) as clarity,
        diamonds.plain(cut, unusual) as cut, diamonds.plain(polish, unusual) as polish,
        diamonds.plain(symmetry, unusual) as symmetry, diamonds.plain(fluorescence, unusual) as fluorescence,
        diamonds.plain(availability, unusual) as raw_availability,
        diamonds.word(availability, unusual) as availability_sent,
        diamonds.name(hold_id, unusual) as hold_id, diamonds.word(certificate_lab, unusual) as certificate_lab,
        diamonds.word(certificate_number, unusual) as certificate_number,
        diamonds.name(supplier_name, unusual) as supplier_name,
        diamonds.name(supplier_stock_id, unusual) as supplier_stock_id,
        diamonds.web_address(image_url) as image_url,
        coalesce(diamonds.web_address(video_url), diamonds.web_address(second_video_url)) as video_url,
        diamonds.web_address(certificate_url) as certificate_url,
        json_object(
            'length': coalesce(diamonds.detail(length), to_jsonb(mm[1]::numeric)),
            'width': coalesce(diamonds.detail(width), to_jsonb(mm[2]::numeric)),
            'depth': coalesce(diamonds.detail(depth), to_jsonb(mm[3]::numeric)),
            'depth_percentage': diamonds.detail(depth_percentage),
            'table_percentage': diamonds.detail(table_percentage) absent on null returning jsonb
        ) as measurements,
        json_object(
            'eye_clean': diamonds.detail(eye_clean), 'brown': diamonds.detail(brown), 'green': diamonds.detail(green),
            'milky': diamonds.detail(milky), 'fluorescence_color': diamonds.detail(fluorescence_color),
            'discount': diamonds.detail(discount), 'markup_price': diamonds.detail(markup_price)
            absent on null returning jsonb
        ) as attributes
    from read offset 0
), typed as (
    select *,
        -- What is a number in JSON is decimal; a text is looked at, and one like 1.234 may be thousands or thousandths.
        case when (carats_are_number and length(carats_sent) <= 30 or diamonds.is_decimal(carats_sent))
                and pg_input_is_valid(carats_sent, 'numeric(7,3)')
            then carats_sent::numeric(7, 3) end as carats,
        case when price_is_number and length(price_sent) <= 30
                or diamonds.is_decimal(price_sent)
                    and (price_is_number or price_sent !~ '^\s*\d{1,3}\.\d{3}\s*$')
            then round(price_sent::numeric / %(unit)s, 2) end as price,
        case when pg_input_is_valid(lab_grown_said, 'boolean') then lab_grown_said::boolean end as lab_grown,
        case when pg_input_is_valid(treated_said, 'boolean') then treated_said::boolean end as treated
    from (
        select *,
            %(vocabulary)s::jsonb -> 'shape' ->> shape_sent as shape,
            coalesce(%(vocabulary)s::jsonb -> 'fancy_intensity' ->> intensity_sent, intensity_sent) as fancy_intensity,
            -- A stone that was made by CVD was made.
            coalesce(%(vocabulary)s::jsonb -> 'lab_grown' ->> coalesce(lab_grown_sent, lab_grown_type), lab_grown_sent)
                as lab_grown_said,
            coalesce(%(vocabulary)s::jsonb -> 'lab_grown' ->> treated_sent, treated_sent) as treated_said,
            case when availability_sent is null then 'available'
                else coalesce(%(vocabulary)s::jsonb -> 'availability' ->> translate(availability_sent, ' -', '__'),
                    'unavailable')
            end as known_availability
        from sent offset 0 -- else each word would be looked up again for each use
    ) known offset 0
), checked as materialized (
    select *,
        nullif(concat_ws('; ',
            case when starts_with(supplier_stone_id, %(no_id)s) then 'id: missing or unusable' end,
            case when shape_sent is null then 'shape: missing'
                when shape is null then coalesce(diamonds.no_word('shape', shape_sent, 50, unusual),
                    format('shape: "%%s" is no known shape', shape_sent)) end,
            case when carats_sent is null then 'carats: missing'
                when carats between 0.01 and 9999.99 then null
                else format('carats: "%%s" is not a number from 0.01 to 9999.99', left(carats_sent, 40)) end,
            case when price_sent is null then 'price: missing'
                when price between 0.01 and 99999999.99 then null
                else format('price: "%%s" is not an amount of 0.01 to 99999999.99 dollars', left(price_sent, 40)) end,
            diamonds.no_word('color', color, 50, unusual), diamonds.no_word('clarity', clarity, 50, unusual),
            diamonds.no_word('fancy_color', fancy_color, 50, unusual),
            diamonds.no_word('fancy_intensity', fancy_intensity, 50, unusual),
            diamonds.no_word('fancy_overtone', fancy_overtone, 50, unusual),
            diamonds.no_word('lab_grown_type', lab_grown_type, 50, unusual),
            diamonds.no_word('cut', cut, 50, unusual), diamonds.no_word('polish', polish, 50, unusual),
            diamonds.no_word('symmetry', symmetry, 50, unusual),
            diamonds.no_word('fluorescence', fluorescence, 50, unusual),
            diamonds.no_word('availability', raw_availability, 50, unusual),
            diamonds.no_word('hold_id', hold_id, 200, unusual),
            diamonds.no_word('certificate_lab', certificate_lab, 50, unusual),
            diamonds.no_word('certificate_number', certificate_number, 100, unusual),
            diamonds.no_word('supplier_name', supplier_name, 200, unusual),
            diamonds.no_word('supplier_stock_id', supplier_stock_id, 200, unusual),
            case when lab_grown_sent is not null and lab_grown is null
                then format('lab_grown: "%%s" is neither true nor false', left(lab_grown_sent, 40)) end,
            case when treated_sent is not null and treated is null
                then format('treated: "%%s" is neither true nor false', left(treated_sent, 40)) end
        ), '') as reason
    from typed
