-- Holds and purchases that are made at the supplier, too, and how far that is.

-- ours: the feed takes none. asked: the supplier was asked, and what came of it is not stored yet. unknown: its answer was
-- lost. refused, ended: nothing stands there any more.
alter table diamonds.hold_history
    add column supplier_state text not null default 'ours'
        check (supplier_state in ('ours', 'asked', 'held', 'unknown', 'refused', 'ended')),
    add column supplier_hold_id text,
    add column supplier_until timestamptz,
    add column supplier_changed_at timestamptz;
create index hold_history_open_at_supplier on diamonds.hold_history (id)
    where supplier_state in ('asked', 'held', 'unknown');

-- not_ordered: a person found out that the supplier never took the order, so that the sale was undone.
alter table diamonds.purchase_history
    add column supplier_state text not null default 'ours'
        check (supplier_state in ('ours', 'asked', 'ordered', 'unknown', 'not_ordered')),
    add column supplier_order_id text,
    add column supplier_changed_at timestamptz;
create index purchase_history_open_at_supplier on diamonds.purchase_history (id)
    where supplier_state in ('asked', 'unknown');
