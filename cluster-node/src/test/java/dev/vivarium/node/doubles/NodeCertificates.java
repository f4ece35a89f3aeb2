package dev.vivarium.node.doubles;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.certificates.Authority;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** An authority for the nodes of a test, with the settings of nodes that it has issued a certificate. */
public final class NodeCertificates {
    private static final Duration EARLIER = Duration.ofDays(400);

    private final Path folder;
    private final Authority earlier;
    private final Authority authority;

    /** An authority that is more than a year old. */
    public NodeCertificates(Path folder) throws NodeStartException, IOException {
        this(folder, "of tests");
    }

    /** An authority whose certificates share this name. */
    public NodeCertificates(Path folder, String cluster) throws NodeStartException, IOException {
        this.folder = folder;
        this.earlier = Authority.of(folder, cluster, Clock.offset(Clock.systemUTC(), EARLIER.negated()));
        this.authority = Authority.of(folder, cluster, Clock.systemUTC());
    }

    public Path folder() {
        return folder;
    }

    public Authority authority() {
        return authority;
    }

    /** The settings of a node of this name, with a new certificate. */
    public Map<String, String> of(String name) throws IOException {
        authority.issue(name, List.of(), Authority.LIFE);
        return settings(name);
    }

    /** The settings of a node whose certificate has expired. */
    public Map<String, String> expired(String name) throws IOException {
        earlier.issue(name, List.of(), Authority.LIFE);
        return settings(name);
    }

    private Map<String, String> settings(String name) {
        return Map.of(
                "vivarium.cluster.insecure-nodes-in-clear-text",
                "off",
                "vivarium.cluster.tls.refresh",
                "100ms",
                "vivarium.cluster.tls.certificate",
                authority.certificateFile(name).toString(),
                "vivarium.cluster.tls.key",
                authority.keyFile(name).toString(),
                "vivarium.cluster.tls.authority",
                authority.certificateFile().toString(),
                "vivarium.cluster.tls.revoked",
                authority.revokedFile().toString());
    }
}
