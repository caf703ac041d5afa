-- A run is also judged by what its rows do not say any more, and by what it would bring back on sale.

alter table diamonds.run_differences
    add column lost integer not null default 0, -- diamonds whose availability, origin or certificate the row does not name
    add column back_on_sale integer not null default 0; -- diamonds that were sold or on hold at the supplier, and are free
