-- What operators have set for tenants, besides the configuration.
CREATE TABLE tenant_settings (
    tenant   text   PRIMARY KEY,
    version  bigint NOT NULL, -- changes are conditional on it
    settings text   NOT NULL
);
