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
 * Compares introductions where Pekko does: on the node that is asked, and on the one that wants to join. Pekko tells the
 * latter no reasons of the former's. So the one that is asked only logs what differs, and answers with its own
 * introduction, and the one that wants to join finds out by itself and says why it stays out. Made by Pekko, by name.
 */
public final class JoinHandshakeChecker extends JoinConfigCompatChecker {
    private static final Logger LOG = LoggerFactory.getLogger(JoinHandshakeChecker.class);

    /** By the life of the node that may not join: an instance is Pekko's own, and the sentence is for who started it. */
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
            return new Invalid(seq(List.of("it does not introduce itself as a node of Vivarium")));
        }
        JoinHandshake self = JoinHandshake.from(own);
        List<String> objections = self.objectionsTo(introduced);
        if (objections.isEmpty()) {
            return Valid.getInstance();
        }
        if (!own.hasPath(JoinHandshake.SECRET_FILE)) {
            LOG.warn("A node that may not join asks to: {}.", String.join("; ", self.objectionsTo(introduced)));
            return Valid.getInstance();
        }
        OBJECTIONS.put(self.life(), String.join("; and ", objections));
        return new Invalid(seq(objections));
    }

    /** Why the node of this life stayed out; empty when nothing was found. Told once. */
    static Optional<String> objection(String life) {
        return Optional.ofNullable(OBJECTIONS.remove(life));
    }

    private static Seq<String> seq(List<String> list) {
        return CollectionConverters.asScala(list).toSeq();
    }
}
