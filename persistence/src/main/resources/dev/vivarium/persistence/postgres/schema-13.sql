-- Secrets that tenants keep for their runs: one sealed value each. Nothing of an earlier value stays.
CREATE TABLE named_secret (
    tenant  text        NOT NULL,
    name    text        NOT NULL,
    version bigint      NOT NULL, -- changes are conditional on it
    master  text        NOT NULL, -- the name of the master key that wraps the value's data key
    sealed  bytea       NOT NULL,
    put_by  text        NOT NULL,
    put_at  timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (tenant, name)
);
