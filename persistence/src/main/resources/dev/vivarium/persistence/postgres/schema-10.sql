-- The log over the events in order: an RFC 9162 tree, which follows from them, and its last signed checkpoint.
ALTER TABLE audit_head
    ADD COLUMN tree_size  bigint NOT NULL DEFAULT 0, -- events in the tree
    ADD COLUMN checkpoint text   NOT NULL DEFAULT ''; -- a C2SP tlog-checkpoint

-- Tiles as in C2SP tlog-tiles, 256 hashes of 32 bytes when full.
CREATE TABLE audit_tile (
    level  integer NOT NULL, -- 0 for leaves
    index  bigint  NOT NULL,
    hashes bytea   STORAGE EXTERNAL NOT NULL, -- do not compress
    PRIMARY KEY (level, index)
);
