-- Which cluster of nodes the store belongs to; always one row.

CREATE TABLE cluster_hold (
    one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    holder  text NOT NULL,
    beat    bigint NOT NULL
);

INSERT INTO cluster_hold (holder, beat) VALUES ('', 0);
