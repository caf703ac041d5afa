"""The statements that make a table anew, with its keys, indexes, triggers and policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

# The sequences of its columns; the table; its columns one by one, so that one which a migration's table lacks is added
# there, or, if it is a part of a table, its bounds; its keys, indexes, triggers and policies; and who may use it.
_DEFINITION = """
with columns as (
    select a.*, pg_get_expr(d.adbin, d.adrelid) as computed, i.seqrelid as identity,
           format('start %%s increment %%s minvalue %%s maxvalue %%s cache %%s%%s', i.seqstart,
                  i.seqincrement, i.seqmin, i.seqmax, i.seqcache, case when i.seqcycle then ' cycle' else '' end)
           as counts
    from pg_attribute a
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join pg_depend o on o.refclassid = 'pg_class'::regclass and o.refobjid = a.attrelid
        and o.refobjsubid = a.attnum and o.classid = 'pg_class'::regclass and o.deptype in ('i', 'a')
        and exists (select from pg_sequence s where s.seqrelid = o.objid)
    left join pg_sequence i on i.seqrelid = o.objid
    where a.attrelid = %(oid)s and a.attnum > 0 and not a.attisdropped
), described as (
    select a.attrelid, a.attnum, format('%%I %%s%%s%%s%%s', a.attname, format_type(a.atttypid, a.atttypmod),
        case when a.attcollation <> t.typcollation then
             (select format(' collate %%I.%%I', ns.nspname, l.collname) from pg_collation l
              join pg_namespace ns on ns.oid = l.collnamespace where l.oid = a.attcollation) else '' end,
        case when a.attgenerated <> '' then format(' generated always as (%%s) %%s', a.computed,
                  case a.attgenerated when 's' then 'stored' else 'virtual' end)
             when a.attidentity <> '' then format(' generated %%s as identity (sequence name %%s %%s)',
                  case a.attidentity when 'a' then 'always' else 'by default' end, a.identity::regclass, a.counts)
             when a.computed is not null then ' default ' || a.computed else '' end,
        case when a.attnotnull then ' not null' else '' end) as described
    from columns a join pg_type t on t.oid = a.atttypid
)
select statement from (
select 1 as place, 0 as number, format('create sequence if not exists %%s as %%s %%s', identity::regclass,
              (select format_type(s.seqtypid, null) from pg_sequence s where s.seqrelid = identity), counts)
           as statement
from columns where identity is not null and attidentity = ''
union all
select 2, 0, case when c.relispartition then
           format('create table %%s partition of %%s %%s', c.oid::regclass, i.inhparent::regclass,
                  pg_get_expr(c.relpartbound, c.oid))
       else
           format('create table %%I.%%I (%%s)', n.nspname, c.relname,
               case when c.relkind = 'p' then (select string_agg(described, ', ' order by attnum) from described) end)
           || coalesce(' partition by ' || pg_get_partkeydef(c.oid), '')
       end
from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_inherits i on i.inhrelid = c.oid
where c.oid = %(oid)s
union all
select 2, d.attnum, format('alter table %%s add column %%s', d.attrelid::regclass, d.described)
from described d join pg_class c on c.oid = d.attrelid where c.relkind = 'r' and not c.relispartition
union all
select 3, 0, format('alter sequence %%s owned by %%s.%%I', identity::regclass, attrelid::regclass, attname)
from columns where identity is not null and attidentity = ''
union all
select 4, 0, format('alter table %%s set (%%s)', c.oid::regclass, array_to_string(c.reloptions, ', '))
from pg_class c where c.oid = %(oid)s and c.reloptions is not null
union all
select 4, 0, format('alter table %%s alter %%I set storage %%s', attrelid::regclass, attname,
              case attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end)
from columns a join pg_type t on t.oid = a.atttypid where a.attstorage <> t.typstorage
union all
select 4, 0, format('alter table %%s alter %%I set compression %%s', attrelid::regclass, attname,
                 case attcompression when 'l' then 'lz4' else 'pglz' end) from columns where attcompression <> ''
union all
select 4, 0, format('alter table %%s alter %%I set statistics %%s', attrelid::regclass, attname, attstattarget)
from columns where attstattarget >= 0
union all
select 5 + (k.contype = 'f')::int, 0,
       format('alter table %%s add constraint %%I %%s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
from pg_constraint k where k.conrelid = %(oid)s and k.coninhcount = 0 and k.contype in ('p', 'u', 'c', 'f', 'x')
union all
select 7, 0, replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ') from pg_index x
where x.indrelid = %(oid)s and not exists (select from pg_constraint k where k.conindid = x.indexrelid)
  and not exists (select from pg_inherits i where i.inhrelid = x.indexrelid)
union all
select 8, 0, pg_get_triggerdef(g.oid) from pg_trigger g
where g.tgrelid = %(oid)s and not g.tgisinternal and g.tgparentid = 0
union all
select 8, 0, format('create policy %%I on %%s as %%s for %%s to %%s%%s%%s', p.polname, p.polrelid::regclass,
              case when p.polpermissive then 'permissive' else 'restrictive' end,
              case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
                            else 'all' end,
              (select string_agg(coalesce(quote_ident(r.rolname), 'public'), ', ')
               from unnest(p.polroles) o (oid) left join pg_roles r on r.oid = o.oid),
              ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
              ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
from pg_policy p where p.polrelid = %(oid)s
union all
select 8, 0, format('alter table %%s %%s', c.oid::regclass, switched.how)
from pg_class c, lateral (values (c.relrowsecurity, 'enable row level security'),
    (c.relforcerowsecurity, 'force row level security'), (c.relreplident = 'f', 'replica identity full'),
    (c.relreplident = 'n', 'replica identity nothing')) switched (so, how)
where c.oid = %(oid)s and switched.so
union all
select 8, 0, pg_get_ruledef(r.oid) from pg_rewrite r where r.ev_class = %(oid)s and r.rulename <> '_RETURN'
union all
select 8, 0, pg_get_statisticsobjdef(s.oid) from pg_statistic_ext s where s.stxrelid = %(oid)s
union all
select 8, d.objsubid, format('comment on %%s%%s is %%L', case d.objsubid when 0 then 'table ' else 'column ' end,
              d.objoid::regclass || coalesce('.' || (select quote_ident(a.attname) from pg_attribute a
                  where a.attrelid = d.objoid and a.attnum = d.objsubid and d.objsubid > 0), ''), d.description)
from pg_description d where d.classoid = 'pg_class'::regclass and d.objoid = %(oid)s
union all
select 9, 0, format('alter table %%s %%s trigger %%I', g.tgrelid::regclass,
              case g.tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end,
              g.tgname)
from pg_trigger g where g.tgrelid = %(oid)s and not g.tgisinternal and g.tgparentid = 0 and g.tgenabled <> 'O'
union all
select 10, 0, format('do $do$ begin if exists (select from pg_roles where rolname = %%L) then'
              ' grant %%s on %%s to %%I; end if; end $do$',
              r.rolname, string_agg(g.privilege_type, ', '), %(oid)s::oid::regclass, r.rolname)
from pg_class c, aclexplode(c.relacl) g join pg_roles r on r.oid = g.grantee
where c.oid = %(oid)s and r.oid <> c.relowner group by r.rolname
) made order by place, number, statement
"""


async def definition(connection: AsyncConnection[Any], oid: int) -> list[str]:
    """The statements that make the table, in their order."""
    return [one["statement"] for one in await rows(connection, _DEFINITION, {"oid": oid})]
