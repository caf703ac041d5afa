-- Where a price is computed: consolidation, re-pricing and the preview of a rule all ask `diamonds.price_of`.

-- Rules keep their shapes in upper case, as diamonds do, also when somebody edits one by hand: then matching is a plain
-- comparison.
create function diamonds.tidy_pricing_rule() returns trigger language plpgsql as $$
begin
    new.shapes := upper(new.shapes::text)::text[];
    return new;
end $$;
create trigger tidy_pricing_rule before insert or update on diamonds.pricing_rules
    for each row execute function diamonds.tidy_pricing_rule();
update diamonds.pricing_rules set shapes = upper(shapes::text)::text[] where shapes::text <> upper(shapes::text);

-- The ratio of retail to supplier's price for a diamond, always one row: of the active rules that fit it, the one with the
-- lowest priority number, then the lowest id; without one it is 1.15. A condition that is null fits every diamond; one on
-- the origin fits none whose origin is not known.
--
-- `instead` is a rule that is not stored, and `without` the id of one to leave out: what a preview asks with.
-- A plain SQL function of one statement: PostgreSQL puts its body in place of the call, and looks for the rule once for
-- all diamonds of the same size, shape, origin and feed (Memoize).
create function diamonds.markup_of(
    feed text, shape text, carats numeric, lab_grown boolean,
    instead diamonds.pricing_rules default null, without bigint default null
) returns table (rule bigint, markup_ratio numeric, rating smallint) stable parallel safe language sql as $$
    select m.id, m.markup_ratio, m.rating from (
        select a.id, a.priority::bigint, a.markup_ratio, a.rating
        from (
            select s.* from diamonds.pricing_rules s where s.id is distinct from markup_of.without
            union all
            select (markup_of.instead).*
        ) a
        where a.active
            and (a.carat_min is null or markup_of.carats >= a.carat_min)
            and (a.carat_max is null or markup_of.carats <= a.carat_max)
            and (a.shapes is null or markup_of.shape = any (a.shapes))
            and (a.lab_grown is null or markup_of.lab_grown = a.lab_grown)
            and (a.feed is null or markup_of.feed = a.feed)
        union all
        select null, 2147483648, 1.15, null -- behind every priority
    ) m
    order by m.priority, m.id
    limit 1
$$;

-- The price in the shop, rounded half up to cents, of a supplier's price. Both are US dollars.
create function diamonds.retail_price(price numeric, markup_ratio numeric) returns numeric
immutable parallel safe language sql return round(price * markup_ratio, 2);
