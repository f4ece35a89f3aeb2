package dev.vivarium.node.network;

import com.google.common.net.InternetDomainName;
import dev.vivarium.protocol.egress.HostName;

/**
 * The names below which anyone can register one, by the public suffix list (publicsuffix.org) that Guava carries, as it was
 * when that version of Guava was released: those of registries such as co.uk, and those of providers such as github.io.
 */
public final class PublicSuffixes {
    private PublicSuffixes() {}

    /** Whether the name is such a suffix itself. */
    public static boolean contains(HostName name) {
        return contains(name.value());
    }

    /** Whether each name directly below is such a suffix: regions of compute.amazonaws.com, towns of kawasaki.jp. */
    public static boolean areBelow(HostName name) {
        return contains("any." + name.value());
    }

    /**
     * Whether there is such a suffix on the way from a domain down to a name below it, the name included: as
     * s3.amazonaws.com is from amazonaws.com to a bucket, which anyone can have.
     */
    static boolean areBetween(HostName domain, HostName name) {
        String rest = name.value();
        while (rest.length() > domain.value().length()) {
            if (contains(rest)) {
                return true;
            }
            rest = rest.substring(rest.indexOf('.') + 1);
        }
        return false;
    }

    private static boolean contains(String name) {
        return InternetDomainName.isValid(name) && InternetDomainName.from(name).isPublicSuffix();
    }
}
