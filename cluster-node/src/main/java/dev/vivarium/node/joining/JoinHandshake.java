package dev.vivarium.node.joining;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.membership.ClusterSettings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * The facts that a joining node and a cluster exchange and that must be equal. This keeps out misconfigured nodes and
 * well-behaved strangers; peers that use Artery without this handshake are kept out by TLS only.
 *
 * @param cluster the cluster's name
 * @param protocol the version of the messages between nodes
 * @param installation the installation that its store belongs to
 * @param secret a slow, salted digest of the shared secret
 * @param life identifies this start of this node; never sent
 */
public record JoinHandshake(String cluster, int protocol, String installation, String secret, String life) {
    /** Raise it when nodes of the previous version would not understand the messages. */
    static final int PROTOCOL = 2;

    static final String PATH = "vivarium.cluster.introduction";
    /** Marked as sensitive to Pekko, so only the joining node sees it. */
    static final String SECRET_FILE = "vivarium.cluster.secret-file";

    static final String LIFE = "vivarium.cluster.life";

    private static final int SECRET_BYTES_MIN = 16;
    private static final int SECRET_BYTES_MAX = 4096;
    private static final int DIGEST_ROUNDS = 210_000;
    private static final int DIGEST_BITS = 256;

    /** This node's handshake; reads the secret's file, which a single node need not have. */
    public static JoinHandshake of(ClusterSettings settings, Config config, String installation)
            throws NodeStartException {
        String file = config.getString(SECRET_FILE);
        if (file.isEmpty() && !settings.isAlone()) {
            throw new NodeStartException(SECRET_FILE + " is empty: nodes of a cluster share a secret, at least "
                    + SECRET_BYTES_MIN + " bytes, in a file that each of them can read (make one with"
                    + " `head -c 32 /dev/urandom | base64`).");
        }
        String digest = file.isEmpty() ? "none" : digest(Path.of(file), settings.name() + "/" + installation);
        return new JoinHandshake(
                settings.name(),
                PROTOCOL,
                installation,
                digest,
                UUID.randomUUID().toString());
    }

    /** The layer of configuration from which Pekko sends it. */
    public Config layer() {
        return ConfigFactory.parseMap(Map.of(
                PATH + ".cluster",
                cluster,
                PATH + ".protocol",
                Integer.toString(protocol),
                PATH + ".installation",
                installation,
                PATH + ".secret",
                secret,
                LIFE,
                life));
    }

    /** Reads a handshake from a configuration with its layer. */
    static JoinHandshake from(Config config) {
        return new JoinHandshake(
                config.getString(PATH + ".cluster"),
                config.getInt(PATH + ".protocol"),
                config.getString(PATH + ".installation"),
                config.getString(PATH + ".secret"),
                config.hasPath(LIFE) ? config.getString(LIFE) : "");
    }

    /** Why this node must not join a cluster with the given handshake; empty when it may. */
    List<String> objectionsTo(JoinHandshake other) {
        List<String> objections = new ArrayList<>();
        if (!other.cluster.equals(cluster)) {
            objections.add("it is the cluster \"" + other.cluster + "\", and this node's vivarium.cluster.name is \""
                    + cluster + "\"");
        }
        if (other.protocol != protocol) {
            objections.add("its nodes speak version " + other.protocol + " of their protocol, and this one speaks "
                    + protocol + ": run the same version of Vivarium");
        }
        if (!other.installation.equals(installation)) {
            objections.add("it works on another store (installation " + other.installation + ", this node's is "
                    + installation + "): see vivarium.store");
        } else if (other.cluster.equals(cluster) && !other.secret.equals(secret)) {
            objections.add("its shared secret differs from the one in this node's " + SECRET_FILE);
        }
        return objections;
    }

    private static String digest(Path file, String salt) throws NodeStartException {
        char[] secret = read(file).toCharArray();
        try {
            PBEKeySpec spec = new PBEKeySpec(secret, salt.getBytes(StandardCharsets.UTF_8), DIGEST_ROUNDS, DIGEST_BITS);
            return HexFormat.of()
                    .formatHex(SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                            .generateSecret(spec)
                            .getEncoded());
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("Every Java has PBKDF2.", missing);
        }
    }

    private static String read(Path file) throws NodeStartException {
        try (InputStream in = Files.newInputStream(file)) {
            String secret = new String(in.readNBytes(SECRET_BYTES_MAX), StandardCharsets.ISO_8859_1).strip();
            if (secret.length() < SECRET_BYTES_MIN) {
                throw new NodeStartException(
                        SECRET_FILE + ": " + file + " contains fewer than " + SECRET_BYTES_MIN + " bytes.");
            }
            return secret;
        } catch (IOException unreadable) {
            throw new NodeStartException(
                    SECRET_FILE + ": " + file + " cannot be read (" + unreadable + ").", unreadable);
        }
    }

    /** Omits the digest. */
    @Override
    public String toString() {
        return "cluster " + cluster + ", protocol " + protocol + ", installation " + installation;
    }
}
