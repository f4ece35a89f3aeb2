-- The runs that somebody has to go on with: from before a submission is durable until after its end is.

CREATE TABLE remembered_run (
    shard  text NOT NULL,
    run_id char(26) NOT NULL,
    PRIMARY KEY (shard, run_id)
);
