package dev.vivarium.protocol.api;

import java.util.List;

/**
 * The secrets of a tenant.
 *
 * @param secrets by name
 */
public record SecretList(List<SecretView> secrets) {
    public SecretList {
        secrets = List.copyOf(secrets);
    }
}
