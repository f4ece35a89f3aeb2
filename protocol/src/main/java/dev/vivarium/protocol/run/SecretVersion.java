package dev.vivarium.protocol.run;

/**
 * A value that a tenant's secret has had.
 *
 * @param name the secret
 * @param version counts the values that were put under the name, from 1; a name that was removed begins again
 */
public record SecretVersion(SecretName name, long version) {}
