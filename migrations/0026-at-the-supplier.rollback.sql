alter table diamonds.purchase_history
    drop column supplier_state, drop column supplier_order_id, drop column supplier_changed_at;
alter table diamonds.hold_history
    drop column supplier_state, drop column supplier_hold_id, drop column supplier_until, drop column supplier_changed_at;
