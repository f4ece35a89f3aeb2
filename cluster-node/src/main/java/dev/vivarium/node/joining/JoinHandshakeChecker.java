package dev.vivarium.node.joining;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.cluster.ConfigValidation;
import org.apache.pekko.cluster.Invalid;
import org.apache.pekko.cluster.JoinConfigCompatChecker;
import org.apache.pekko.cluster.Valid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Compares handshakes where Pekko does: on the seed node and on the joining node. Pekko does not pass on the seed
 * node's reasons. So the seed node only logs the differences and answers with its own handshake, and the joining node
 * compares for itself and reports why it stays out. Instantiated by Pekko, by class name.
 */
public final class JoinHandshakeChecker extends JoinConfigCompatChecker {
    private static final Logger LOG = LoggerFactory.getLogger(JoinHandshakeChecker.class);

    /**
     * By the joining node's {@code life}: Pekko owns the instance of this class, and the caller that starts the node
     * needs the sentence.
     */
    private static final Map<String, String> OBJECTIONS = new ConcurrentHashMap<>();

    private static final List<String> KEYS = List.of(
            JoinHandshake.PATH + ".cluster",
            JoinHandshake.PATH + ".protocol",
            JoinHandshake.PATH + ".installation",
            JoinHandshake.PATH + ".secret");

    @Override
    public Seq<String> requiredKeys() {
        return seq(KEYS);
    }

    @Override
    public ConfigValidation check(Config other, Config own) {
        JoinHandshake introduced;
        try {
            introduced = JoinHandshake.from(other);
        } catch (ConfigException missing) {
            return new Invalid(seq(List.of("it does not identify itself as a node of Vivarium")));
        }
        JoinHandshake self = JoinHandshake.from(own);
        List<String> objections = self.objectionsTo(introduced);
        if (objections.isEmpty()) {
            return Valid.getInstance();
        }
        if (!own.hasPath(JoinHandshake.SECRET_FILE)) {
            LOG.warn("A node that may not join has asked to: {}.", String.join("; ", self.objectionsTo(introduced)));
            return Valid.getInstance();
        }
        OBJECTIONS.put(self.life(), String.join("; and ", objections));
        return new Invalid(seq(objections));
    }

    /** Why the node of this life stayed out; empty when no difference was found. Returned once. */
    static Optional<String> objection(String life) {
        return Optional.ofNullable(OBJECTIONS.remove(life));
    }

    private static Seq<String> seq(List<String> list) {
        return CollectionConverters.asScala(list).toSeq();
    }
}
