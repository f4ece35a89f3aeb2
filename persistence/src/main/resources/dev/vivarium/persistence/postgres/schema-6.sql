-- Contents of files by their digest, for each tenant apart, in pieces of 256 KiB.

CREATE TABLE blob (
    tenant     text        NOT NULL COLLATE "C",
    digest     text        NOT NULL COLLATE "C", -- SHA-256, in hexadecimal
    bytes      bigint      NOT NULL,
    content    uuid        NOT NULL,             -- under which its pieces are
    touched_at timestamptz NOT NULL,             -- when somebody wrote it last
    PRIMARY KEY (tenant, digest)
);
CREATE INDEX blob_touched_idx ON blob (touched_at);

-- Contents that are no blob's: of uploads under way, of those that were cut off, and what remains of removed blobs.

CREATE TABLE blob_upload (
    content  uuid        NOT NULL PRIMARY KEY,
    tenant   text        NOT NULL COLLATE "C",
    digest   text        NOT NULL COLLATE "C",
    heard_at timestamptz NOT NULL -- -infinity: discarded, and its pieces are being deleted
);
CREATE INDEX blob_upload_heard_idx ON blob_upload (heard_at);

CREATE TABLE blob_piece (
    content uuid    NOT NULL,
    number  integer NOT NULL, -- from 0
    data    bytea   NOT NULL,
    PRIMARY KEY (content, number)
);
-- Most contents are text that compresses badly in small pieces, or are compressed already.
ALTER TABLE blob_piece ALTER COLUMN data SET STORAGE EXTERNAL;

-- Which runs need which blobs. The reference keeps a blob from being removed, whoever is faster.

CREATE TABLE blob_hold (
    run_id  text        NOT NULL COLLATE "C",
    tenant  text        NOT NULL COLLATE "C",
    digest  text        NOT NULL COLLATE "C",
    held_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, tenant, digest),
    FOREIGN KEY (tenant, digest) REFERENCES blob (tenant, digest)
);
CREATE INDEX blob_hold_blob_idx ON blob_hold (tenant, digest);
CREATE INDEX blob_hold_held_idx ON blob_hold (held_at);
