-- Messages to webhooks.
CREATE TABLE webhook_delivery (
    run_id    char(26)    NOT NULL,
    seq       bigint      NOT NULL, -- the number of the event that it tells
    tenant    text        NOT NULL,
    event     text        NOT NULL,
    url       text        NOT NULL,
    body      text        NOT NULL,
    state     text        NOT NULL,
    attempts  integer     NOT NULL,
    queued_at timestamptz NOT NULL,
    next_at   timestamptz NOT NULL,
    tried_at  timestamptz,
    answer    text,
    PRIMARY KEY (run_id, seq)
);
CREATE INDEX webhook_delivery_pending ON webhook_delivery (queued_at) WHERE state = 'PENDING';
CREATE INDEX webhook_delivery_queued ON webhook_delivery (queued_at);

-- How far the order of all events was searched for them: one row.
CREATE TABLE webhook_search (
    one      boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
    searched bigint  NOT NULL
);
INSERT INTO webhook_search (searched) VALUES (0);
