package dev.vivarium.persistence.cassandra;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.ClearText;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Map;

/**
 * Protects connections to a Cassandra cluster on other machines: TLS, and each server's certificate is verified against an
 * authority and the server's address, unless the operator says otherwise by a key with an ugly name.
 */
final class CassandraTls {
    private static final String FACTORY = "advanced.ssl-engine-factory";
    private static final String HOSTS_ARE_VERIFIED = FACTORY + ".hostname-validation";

    private CassandraTls() {}

    /**
     * The driver's settings with what protects its connections.
     *
     * @param contactPoints as host:port; when all are loopback addresses, the cluster is taken for one on this machine
     * @param driver the operator's own settings, whose factory of engines is taken as it is
     * @param authority a PEM file of authorities; empty for those that Java trusts
     * @throws StoreUnavailable with a sentence when the authority cannot be read, or when the operator's factory takes any server
     */
    static Config driver(List<String> contactPoints, Config driver, String authority, ClearText clearText) {
        boolean mayBeClear =
                clearText == ClearText.ALLOWED || contactPoints.stream().allMatch(CassandraTls::isOnThisMachine);
        if (driver.hasPath(FACTORY + ".class")) {
            if (!mayBeClear && driver.hasPath(HOSTS_ARE_VERIFIED) && !driver.getBoolean(HOSTS_ARE_VERIFIED)) {
                throw new StoreUnavailable("vivarium.store.cassandra.driver says " + HOSTS_ARE_VERIFIED
                        + " = false, by which any server with a certificate of the authority is taken for any other: leave it"
                        + " out, or set vivarium.store.cassandra.insecure-store-in-clear-text = on where the network is"
                        + " trusted.");
            }
            return driver;
        }
        if (authority.isEmpty() && mayBeClear) {
            return driver;
        }
        if (!authority.isEmpty()) {
            check(Path.of(authority));
        }
        return driver.withFallback(ConfigFactory.parseMap(
                Map.of(
                        FACTORY + ".class",
                        VerifiedServers.class.getName(),
                        VerifiedServers.AUTHORITY.getPath(),
                        authority),
                "the store's protection"));
    }

    private static void check(Path authority) {
        try {
            VerifiedServers.trusting(authority);
        } catch (IOException | GeneralSecurityException useless) {
            throw new StoreUnavailable(
                    "vivarium.store.cassandra.authority: " + authority + " holds no certificates in PEM (" + useless
                            + ").",
                    useless);
        }
    }

    private static boolean isOnThisMachine(String point) {
        return ClearText.isLoopback(point.substring(0, point.lastIndexOf(':')));
    }
}
