package dev.vivarium.protocol.api;

import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.SecretName;
import java.time.Instant;
import java.util.Optional;

/**
 * A secret of a tenant, without its value, which nothing shows.
 *
 * @param version counts the values that were put under the name, from 1
 * @param putBy who put the version
 * @param putAt when
 * @param lastUsedAt when an attempt of a run last got a value of this name; empty in answers to changes
 */
public record SecretView(
        SecretName name, Tenant tenant, long version, Principal putBy, Instant putAt, Optional<Instant> lastUsedAt) {}
