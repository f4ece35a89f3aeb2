-- Which process printed a chunk: 1, the run's own command, for all that there are.
ALTER TABLE run_output ADD COLUMN process integer NOT NULL DEFAULT 1;
