package dev.vivarium.protocol.api;

import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.auth.TokenId;
import java.time.Instant;
import java.util.Optional;

/**
 * A token of the API, without itself.
 *
 * @param name the name of its principal
 * @param createdBy who made it
 * @param revokedAt when it ends before its expiry, or has ended
 * @param lastUsedAt its last use, to within a minute; empty in answers to changes
 */
public record TokenView(
        TokenId id,
        String name,
        Tenant tenant,
        Role role,
        Scope scope,
        Principal createdBy,
        Instant createdAt,
        Instant expiresAt,
        Optional<Instant> revokedAt,
        Optional<Instant> lastUsedAt) {}
