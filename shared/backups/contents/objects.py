"""All that is defined in a database, each by a hash, which says whether it was made as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backups.contents.schemas import NOT_OURS
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

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
         where k.contypid = t.oid and k.contype <> 'n'),
        case when t.typtype = 'c' then
            (select string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ','
                               order by a.attnum)
             from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped) end)
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where {NOT_OURS} and (t.typtype in ('e', 'd', 'r', 'm')
                          or exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
      and not exists (select from pg_depend e
                      where e.objid = t.oid and e.classid = 'pg_type'::regclass and e.deptype = 'e')
    union all
    select 'large', 'objects', count(*)::text from pg_largeobject_metadata having count(*) > 0
) found
"""  # noqa: S608 - a constant


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
