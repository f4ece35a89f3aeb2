-- Which run a client's idempotency key belongs to. The key is a digest of the tenant and of the client's text.

CREATE TABLE claimed_key (
    key        bytea NOT NULL PRIMARY KEY,
    run_id     char(26) NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now()
);
