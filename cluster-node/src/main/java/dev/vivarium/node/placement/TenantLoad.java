package dev.vivarium.node.placement;

import dev.vivarium.protocol.auth.Tenant;

/** What a tenant's runs on a node take of its quotas, as the node reports it to the others. */
public record TenantLoad(Tenant tenant, TenantUse use) {}
