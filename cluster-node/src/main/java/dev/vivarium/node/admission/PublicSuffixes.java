package dev.vivarium.node.admission;

import com.google.common.net.InternetDomainName;
import dev.vivarium.protocol.egress.HostName;

/**
 * The names below which anyone can register one, by the public suffix list (publicsuffix.org) that Guava carries, as it was
 * when that version of Guava was released: those of registries such as co.uk, and those of providers such as github.io.
 */
final class PublicSuffixes {
    private PublicSuffixes() {}

    /** Whether the name is such a suffix itself. */
    static boolean contains(HostName name) {
        return contains(name.value());
    }

    /** Whether each name directly below is such a suffix: regions of compute.amazonaws.com, towns of kawasaki.jp. */
    static boolean areBelow(HostName name) {
        return contains("any." + name.value());
    }

    private static boolean contains(String name) {
        return InternetDomainName.isValid(name) && InternetDomainName.from(name).isPublicSuffix();
    }
}
