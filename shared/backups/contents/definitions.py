"""The statements that make a table anew which no migration makes, and what says whether all was made as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backups.contents.schemas import NOT_OURS
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

# The sequences of its columns; the table, its columns and, if it is a part of one, its bounds; then its keys, its
# indexes, its triggers, and who may use it.
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
)
select statement from (
select 1 as place, format('create sequence if not exists %%s as %%s %%s', identity::regclass,
              (select format_type(s.seqtypid, null) from pg_sequence s where s.seqrelid = identity), counts)
           as statement
from columns where identity is not null and attidentity = ''
union all
select 2, case when c.relispartition then
           format('create table %%s partition of %%s %%s', c.oid::regclass, i.inhparent::regclass,
                  pg_get_expr(c.relpartbound, c.oid))
       else
           format('create table %%I.%%I (%%s)', n.nspname, c.relname,
               (select string_agg(format('%%I %%s%%s%%s%%s', a.attname, format_type(a.atttypid, a.atttypmod),
                    case when a.attcollation <> t.typcollation then
                         (select format(' collate %%I.%%I', ns.nspname, l.collname) from pg_collation l
                          join pg_namespace ns on ns.oid = l.collnamespace where l.oid = a.attcollation) else '' end,
                    case when a.attgenerated <> '' then format(' generated always as (%%s) %%s', a.computed,
                              case a.attgenerated when 's' then 'stored' else 'virtual' end)
                         when a.attidentity <> '' then format(' generated %%s as identity (sequence name %%s %%s)',
                              case a.attidentity when 'a' then 'always' else 'by default' end,
                              a.identity::regclass, a.counts)
                         when a.computed is not null then ' default ' || a.computed else '' end,
                    case when a.attnotnull then ' not null' else '' end), ', ' order by a.attnum)
                from columns a join pg_type t on t.oid = a.atttypid))
           || coalesce(' partition by ' || pg_get_partkeydef(c.oid), '')
           || coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', '')
       end
from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_inherits i on i.inhrelid = c.oid
where c.oid = %(oid)s
union all
select 3, format('alter sequence %%s owned by %%s.%%I', identity::regclass, attrelid::regclass, attname)
from columns where identity is not null and attidentity = ''
union all
select 4, format('alter table %%s alter %%I set storage %%s', attrelid::regclass, attname,
              case attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end)
from columns a join pg_type t on t.oid = a.atttypid where a.attstorage <> t.typstorage
union all
select 4, format('alter table %%s alter %%I set compression %%s', attrelid::regclass, attname,
                 case attcompression when 'l' then 'lz4' else 'pglz' end) from columns where attcompression <> ''
union all
select 4, format('alter table %%s alter %%I set statistics %%s', attrelid::regclass, attname, attstattarget)
from columns where attstattarget >= 0
union all
select 5 + (k.contype = 'f')::int,
       format('alter table %%s add constraint %%I %%s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
from pg_constraint k where k.conrelid = %(oid)s and k.coninhcount = 0 and k.contype in ('p', 'u', 'c', 'f', 'x')
union all
select 7, replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ') from pg_index x
where x.indrelid = %(oid)s and not exists (select from pg_constraint k where k.conindid = x.indexrelid)
  and not exists (select from pg_inherits i where i.inhrelid = x.indexrelid)
union all
select 8, pg_get_triggerdef(g.oid) from pg_trigger g
where g.tgrelid = %(oid)s and not g.tgisinternal and g.tgparentid = 0
union all
select 9, format('alter table %%s %%s trigger %%I', g.tgrelid::regclass,
              case g.tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end,
              g.tgname)
from pg_trigger g where g.tgrelid = %(oid)s and not g.tgisinternal and g.tgparentid = 0 and g.tgenabled <> 'O'
union all
select 10, format('do $do$ begin if exists (select from pg_roles where rolname = %%L) then'
              ' grant %%s on %%s to %%I; end if; end $do$',
              r.rolname, string_agg(g.privilege_type, ', '), %(oid)s::oid::regclass, r.rolname)
from pg_class c, aclexplode(c.relacl) g join pg_roles r on r.oid = g.grantee
where c.oid = %(oid)s and r.oid <> c.relowner group by r.rolname
) made order by place, statement
"""

# By kind and name. The order of columns and who may use what are not in it, and neither is a not-null's own name.
_OBJECTS = f"""
with ours as (
    select c.*, format('%%I.%%I', n.nspname, c.relname) as named
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where {NOT_OURS} and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
      and (n.nspname, c.relname) <> ('public', 'schema_migrations')
      and not exists (select from pg_depend e
                      where e.objid = c.oid and e.classid = 'pg_class'::regclass and e.deptype = 'e')
)
select kind || ' ' || name as name, encode(sha256(convert_to(coalesce(made_as, ''), 'UTF8')), 'hex') as hash from (
    select 'schema' as kind, quote_ident(n.nspname) as name, '' as made_as from pg_namespace n where {NOT_OURS}
    union all
    select 'relation', c.named, concat_ws('/', c.relkind, c.relpersistence, c.reloptions, pg_get_partkeydef(c.oid),
        pg_get_expr(c.relpartbound, c.oid), c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
        (select string_agg(i.inhparent::regclass::text, ',' order by i.inhseqno)
         from pg_inherits i where i.inhrelid = c.oid),
        case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end)
    from ours c
    union all
    select 'column', c.named || '.' || quote_ident(a.attname), concat_ws('/', format_type(a.atttypid, a.atttypmod),
        a.attnotnull, a.attidentity, a.attgenerated, a.attstorage, a.attcompression, a.attstattarget,
        pg_get_expr(d.adbin, d.adrelid), (select l.collname from pg_collation l where l.oid = a.attcollation))
    from ours c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum where c.relkind <> 'S'
    union all
    select 'sequence', c.named, concat_ws('/', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
        s.seqcache, s.seqcycle) from ours c join pg_sequence s on s.seqrelid = c.oid
    union all
    select 'constraint', c.named || ' ' || quote_ident(k.conname), pg_get_constraintdef(k.oid)
    from ours c join pg_constraint k on k.conrelid = c.oid and k.contype <> 'n'
    union all
    select 'index', x.indexrelid::regclass::text, pg_get_indexdef(x.indexrelid)
    from ours c join pg_index x on x.indrelid = c.oid
    union all
    select 'trigger', c.named || ' ' || quote_ident(g.tgname), pg_get_triggerdef(g.oid) || g.tgenabled::text
    from ours c join pg_trigger g on g.tgrelid = c.oid and not g.tgisinternal
    union all
    select 'policy', c.named || ' ' || quote_ident(p.polname), concat_ws('/', p.polcmd, p.polpermissive,
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    from ours c join pg_policy p on p.polrelid = c.oid
    union all
    select 'rule', c.named || ' ' || quote_ident(r.rulename), pg_get_ruledef(r.oid)
    from ours c join pg_rewrite r on r.ev_class = c.oid and r.rulename <> '_RETURN'
    union all
    select 'statistics', quote_ident(s.stxname), pg_get_statisticsobjdef(s.oid)
    from ours c join pg_statistic_ext s on s.stxrelid = c.oid
    union all
    select 'function', p.oid::regprocedure::text, case when p.prokind = 'a' then '' else pg_get_functiondef(p.oid) end
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where {NOT_OURS} and not exists (select from pg_depend e where e.objid = p.oid and e.classid = 'pg_proc'::regclass
                                     and e.deptype = 'e')
    union all
    select 'type', t.oid::regtype::text, concat_ws('/', t.typtype, format_type(t.typbasetype, t.typtypmod),
        t.typnotnull, t.typdefault,
        (select string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
        (select string_agg(pg_get_constraintdef(k.oid), ',' order by k.conname) from pg_constraint k
         where k.contypid = t.oid and k.contype <> 'n'))
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where {NOT_OURS} and t.typtype in ('e', 'd', 'r', 'm')
      and not exists (select from pg_depend e
                      where e.objid = t.oid and e.classid = 'pg_type'::regclass and e.deptype = 'e')
) found
"""  # noqa: S608 - a constant


async def definition(connection: AsyncConnection[Any], oid: int) -> list[str]:
    """The statements that make the table, in their order."""
    return [one["statement"] for one in await rows(connection, _DEFINITION, {"oid": oid})]


async def objects(connection: AsyncConnection[Any]) -> dict[str, str]:
    """All that is defined in the database, by kind and name, with a hash of what defines it."""
    return {row["name"]: row["hash"] for row in await rows(connection, _OBJECTS)}


def unlike(wanted: dict[str, str], found: dict[str, str]) -> list[str]:
    """What is not defined as it is wanted; nothing where a backup says nothing of definitions."""
    return [
        f"{name}: {'not there' if name not in found else 'defined otherwise'}"
        for name in sorted(wanted)
        if found.get(name) != wanted[name]
    ]
