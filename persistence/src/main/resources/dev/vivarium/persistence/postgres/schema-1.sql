-- The journal and the snapshots, as pekko-persistence-jdbc 1.1 wants them, with one column of our own.

CREATE TABLE event_journal (
    ordering           bigserial    NOT NULL,
    persistence_id     varchar(255) NOT NULL,
    sequence_number    bigint       NOT NULL,
    deleted            boolean      NOT NULL DEFAULT false,
    writer             varchar(255) NOT NULL,
    write_timestamp    bigint,
    adapter_manifest   varchar(255),
    event_ser_id       integer      NOT NULL,
    event_ser_manifest varchar(255) NOT NULL,
    event_payload      bytea        NOT NULL,
    meta_ser_id        integer,
    meta_ser_manifest  varchar(255),
    meta_payload       bytea,
    -- Ours: which transaction wrote the row. "ordering" is taken before the commit, so rows become visible out of its
    -- order; by this column a projection knows which rows can have no unseen predecessor any more.
    transaction_id     xid8         NOT NULL DEFAULT pg_current_xact_id(),
    -- Also the fence: of two writers for one run, the second gets an error.
    PRIMARY KEY (persistence_id, sequence_number)
);
CREATE UNIQUE INDEX event_journal_ordering_idx ON event_journal (ordering);
CREATE INDEX event_journal_transaction_idx ON event_journal (transaction_id, ordering);

CREATE TABLE event_tag (
    event_id bigint       NOT NULL REFERENCES event_journal (ordering) ON DELETE CASCADE,
    tag      varchar(256) NOT NULL,
    PRIMARY KEY (event_id, tag)
);

CREATE TABLE snapshot (
    persistence_id        varchar(255) NOT NULL,
    sequence_number       bigint       NOT NULL,
    created               bigint       NOT NULL,
    snapshot_ser_id       integer      NOT NULL,
    snapshot_ser_manifest varchar(255) NOT NULL,
    snapshot_payload      bytea        NOT NULL,
    meta_ser_id           integer,
    meta_ser_manifest     varchar(255),
    meta_payload          bytea,
    PRIMARY KEY (persistence_id, sequence_number)
);

CREATE TABLE durable_state (
    global_offset         bigserial    NOT NULL,
    persistence_id        varchar(255) NOT NULL PRIMARY KEY,
    revision              bigint       NOT NULL,
    state_payload         bytea        NOT NULL,
    state_serial_id       integer      NOT NULL,
    state_serial_manifest varchar(255),
    tag                   varchar,
    state_timestamp       bigint       NOT NULL
);
CREATE INDEX state_tag_idx ON durable_state (tag);
CREATE INDEX state_global_offset_idx ON durable_state (global_offset);

-- What runs printed.

CREATE TABLE run_output (
    run_id      char(26)    NOT NULL COLLATE "C",
    byte_offset bigint      NOT NULL,
    attempt     integer     NOT NULL,
    stream      smallint    NOT NULL, -- 1 stdout, 2 stderr, as the file descriptors
    at          timestamptz NOT NULL,
    data        bytea       NOT NULL,
    PRIMARY KEY (run_id, byte_offset)
);
-- Which attempt wrote last, to fence off the ones before.
CREATE INDEX run_output_attempt_idx ON run_output (run_id, attempt);

-- Runs as the API shows them: a projection of the journal, and nothing that could not be made again from it.

CREATE TABLE run_view (
    run_id       char(26)    NOT NULL COLLATE "C" PRIMARY KEY,
    seq          bigint      NOT NULL, -- the last event in it
    status       varchar(16) NOT NULL,
    submitted_at timestamptz NOT NULL,
    labels       jsonb       NOT NULL, -- "tenant" always among them
    -- json, not jsonb: jsonb refuses U+0000 and lone surrogates, and what an agent did may hold both.
    view         json        NOT NULL
);
CREATE INDEX run_view_newest_idx ON run_view (submitted_at DESC, run_id DESC);
CREATE INDEX run_view_status_idx ON run_view (status, submitted_at DESC, run_id DESC);
CREATE INDEX run_view_labels_idx ON run_view USING gin (labels jsonb_path_ops);

-- Runs whose events this version of the code cannot read; tried again by every node that starts.
CREATE TABLE run_unreadable (
    run_id char(26) NOT NULL COLLATE "C" PRIMARY KEY,
    reason text     NOT NULL
);

CREATE TABLE projection_offset (
    projection     varchar(64) NOT NULL PRIMARY KEY,
    transaction_id xid8        NOT NULL,
    ordering       bigint      NOT NULL
);
