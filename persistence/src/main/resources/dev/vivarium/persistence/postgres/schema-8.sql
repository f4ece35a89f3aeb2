-- The events of all runs in one order. The journal stays the truth: all of this follows from it.

-- The sequencer's seat, always one row: who has the last epoch may write positions.
CREATE TABLE audit_head (
    one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    epoch   bigint  NOT NULL,
    size    bigint  NOT NULL -- the first position without an event
);
INSERT INTO audit_head (epoch, size) VALUES (0, 0);

-- What events are found by; the events themselves are read from the journal. Texts without U+0000 and lone surrogates.
CREATE TABLE audit_event (
    position  bigint      NOT NULL PRIMARY KEY, -- from 0, without gaps, never reused
    at        timestamptz NOT NULL,
    run_id    char(26)    NOT NULL COLLATE "C",
    seq       bigint      NOT NULL,
    tenant    text        NOT NULL COLLATE "C",
    type      text        NOT NULL COLLATE "C",
    node      text        NOT NULL COLLATE "C",
    image     text        NOT NULL COLLATE "C",
    principal text        COLLATE "C",
    reason    text        COLLATE "C",
    labels    text[]      NOT NULL COLLATE "C" -- key, U+001F and value of each
);
-- Also the guard against a second position of an event.
CREATE UNIQUE INDEX audit_event_run_idx ON audit_event (run_id, seq);
CREATE INDEX audit_event_tenant_idx ON audit_event (tenant, position);
CREATE INDEX audit_event_type_idx ON audit_event (type, position);
CREATE INDEX audit_event_node_idx ON audit_event (node, position);
CREATE INDEX audit_event_image_idx ON audit_event (image, position);
CREATE INDEX audit_event_principal_idx ON audit_event (principal, position) WHERE principal IS NOT NULL;
CREATE INDEX audit_event_reason_idx ON audit_event (reason, position) WHERE reason IS NOT NULL;
-- Readers scan what is pending: not more than they can in a millisecond or two.
CREATE INDEX audit_event_labels_idx ON audit_event USING gin (labels) WITH (gin_pending_list_limit = 1024);

-- The times of each block of 16384 positions: where to look for a time.
CREATE TABLE audit_block (
    block  bigint      NOT NULL PRIMARY KEY,
    at_min timestamptz NOT NULL,
    at_max timestamptz NOT NULL
);

-- What the sequencer knows of each run.
CREATE TABLE audit_run (
    run_id char(26) NOT NULL COLLATE "C" PRIMARY KEY,
    facts  json     NOT NULL
);

-- Totals.
CREATE TABLE audit_count (
    measure text        NOT NULL COLLATE "C",
    period  timestamptz NOT NULL,
    tenant  text        NOT NULL COLLATE "C",
    key     text        NOT NULL COLLATE "C",
    total   bigint      NOT NULL,
    PRIMARY KEY (measure, period, tenant, key)
);
