-- Tokens of the API: who they are, and what a presented one is compared with. The token itself is nowhere.
CREATE TABLE api_token (
    id text PRIMARY KEY,
    verifier bytea NOT NULL,
    granted text NOT NULL,
    revoked_at timestamptz,
    used_at timestamptz
);
