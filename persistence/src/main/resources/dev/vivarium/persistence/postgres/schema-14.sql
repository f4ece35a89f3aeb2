-- Legal holds: nothing that is kept of these tenants' runs is deleted. A deletion shares a lock on the table and looks here,
-- so that whoever changes it waits for the deletions under way.
CREATE TABLE retention_hold (
    tenant text        PRIMARY KEY,
    reason text,
    put_by text        NOT NULL,
    put_at timestamptz NOT NULL
);
