"""The statements that make what is defined beside tables: schemas, types, functions, sequences, views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backups.contents.schemas import NOT_OURS
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

# By the kinds and names of `objects`. A view that keeps its rows is made without them: they are computed when all
# tables are loaded. Aggregates, and what an extension or a type brings, are not made.
_OTHERS = f"""
with ours as (
    select c.*, format('%%I.%%I', n.nspname, c.relname) as named
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where {NOT_OURS} and not exists (select from pg_depend e where e.objid = c.oid and e.classid = 'pg_class'::regclass
                                     and e.deptype = 'e')
), types as (
    select t.*, t.oid::regtype as named from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where {NOT_OURS} and not exists (select from pg_depend e where e.objid = t.oid and e.classid = 'pg_type'::regclass
                                     and e.deptype = 'e')
), functions as (
    select p.*, p.oid::regprocedure as named from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where {NOT_OURS} and p.prokind <> 'a' and not exists (
        select from pg_depend e where e.objid = p.oid and e.classid = 'pg_proc'::regclass and e.deptype in ('e', 'i'))
), granted as (
    select 'relation ' || c.named as name, case c.relkind when 'S' then 'sequence ' else '' end || c.named as what,
           c.relowner as owner, (aclexplode(c.relacl)).*
    from ours c where c.relkind in ('v', 'm', 'S')
    union all
    select 'schema ' || quote_ident(n.nspname), format('schema %%I', n.nspname), n.nspowner, (aclexplode(n.nspacl)).*
    from pg_namespace n where {NOT_OURS} and n.nspname <> 'public'
    union all
    select 'function ' || p.named, format('routine %%s', p.named), p.proowner, (aclexplode(p.proacl)).* from functions p
)
select name, statement from (
    select 1 as place, n.oid as number, 'schema ' || quote_ident(n.nspname) as name,
           format('create schema %%I', n.nspname) as statement
    from pg_namespace n where {NOT_OURS} and n.nspname <> 'public'
    union all
    select 2, t.oid, 'type ' || t.named, case t.typtype
        when 'e' then format('create type %%s as enum (%%s)', t.named,
            (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
             from pg_enum e where e.enumtypid = t.oid))
        when 'd' then format('create domain %%s as %%s%%s%%s%%s', t.named, format_type(t.typbasetype, t.typtypmod),
            ' default ' || t.typdefault, case when t.typnotnull then ' not null' end,
            (select string_agg(format(' constraint %%I %%s', k.conname, pg_get_constraintdef(k.oid)), '')
             from pg_constraint k where k.contypid = t.oid and k.contype = 'c'))
        when 'r' then (select format('create type %%s as range (subtype = %%s, multirange_type_name = %%s)', t.named,
                              r.rngsubtype::regtype, r.rngmultitypid::regtype) from pg_range r where r.rngtypid = t.oid)
        when 'c' then (select format('create type %%s as (%%s)', t.named, string_agg(format('%%I %%s', a.attname,
                              format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum))
             from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)
        end
    from types t where t.typtype in ('e', 'd', 'r') or exists (
        select from pg_class c where c.oid = t.typrelid and c.relkind = 'c')
    union all
    select 3, p.oid, 'function ' || p.named, pg_get_functiondef(p.oid) from functions p
    union all
    select 4, p.oid, 'function ' || p.named, format('revoke execute on routine %%s from public', p.named)
    from functions p where p.proacl is not null
    union all
    select 5, c.oid, 'sequence ' || c.named, format('create sequence %%s as %%s start %%s increment %%s minvalue %%s'
        ' maxvalue %%s cache %%s%%s', c.named, s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
        s.seqcache, case when s.seqcycle then ' cycle' else '' end)
    from ours c join pg_sequence s on s.seqrelid = c.oid where not exists (
        select from pg_depend o where o.objid = c.oid and o.classid = 'pg_class'::regclass and o.deptype in ('i', 'a'))
    union all
    select 6, c.oid, 'relation ' || c.named, format('create %%s %%s%%s as %%s%%s',
        case c.relkind when 'v' then 'or replace view' else 'materialized view' end, c.named,
        ' with (' || array_to_string(c.reloptions, ', ') || ')', rtrim(pg_get_viewdef(c.oid), ';'),
        case c.relkind when 'm' then ' with no data' end)
    from ours c where c.relkind in ('v', 'm')
    union all
    select 7, x.indexrelid, 'index ' || x.indexrelid::regclass, pg_get_indexdef(x.indexrelid)
    from pg_index x join ours c on c.oid = x.indrelid where c.relkind = 'm'
    union all
    select 8, g.oid, 'trigger ' || c.named || ' ' || quote_ident(g.tgname), pg_get_triggerdef(g.oid)
    from pg_trigger g join ours c on c.oid = g.tgrelid where c.relkind = 'v' and not g.tgisinternal
    union all
    select 8, r.oid, 'rule ' || c.named || ' ' || quote_ident(r.rulename), pg_get_ruledef(r.oid)
    from pg_rewrite r join ours c on c.oid = r.ev_class where c.relkind = 'v' and r.rulename <> '_RETURN'
    union all
    select 8, d.objoid, s.name, format('comment on %%s is %%L', s.what, d.description)
    from pg_description d join (
        select 'pg_namespace'::regclass, n.oid, 'schema ' || quote_ident(n.nspname), format('schema %%I', n.nspname)
        from pg_namespace n where {NOT_OURS} and n.nspname <> 'public'
        union all
        select 'pg_type'::regclass, t.oid, 'type ' || t.named, case t.typtype when 'd' then 'domain ' else 'type ' end
               || t.named from types t
        union all
        select 'pg_proc'::regclass, p.oid, 'function ' || p.named, 'routine ' || p.named from functions p
        union all
        select 'pg_class'::regclass, c.oid, case c.relkind when 'S' then 'sequence ' else 'relation ' end || c.named,
               case c.relkind when 'S' then 'sequence ' when 'v' then 'view ' else 'materialized view ' end || c.named
        from ours c where c.relkind in ('v', 'm', 'S')
    ) s (class, oid, name, what) on s.class = d.classoid and s.oid = d.objoid and d.objsubid = 0
    union all
    select 9, 0, g.name, format('do $do$ begin if exists (select from pg_roles where rolname = %%L) then'
        ' grant %%s on %%s to %%I; end if; end $do$', r.rolname, string_agg(g.privilege_type, ', '), g.what, r.rolname)
    from granted g join pg_roles r on r.oid = g.grantee where g.grantee <> g.owner group by g.name, g.what, r.rolname
    union all
    select 9, 0, g.name, format('grant %%s on %%s to public', string_agg(g.privilege_type, ', '), g.what)
    from granted g where g.grantee = 0 group by g.name, g.what
) made order by place, number, statement
"""  # noqa: S608 - a constant


async def others(connection: AsyncConnection[Any]) -> dict[str, list[str]]:
    """The statements that make each, by its kind and name, in an order in which most can be made."""
    found: dict[str, list[str]] = {}
    for one in await rows(connection, _OTHERS):
        found.setdefault(one["name"], []).append(one["statement"])
    return found
