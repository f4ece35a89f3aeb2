package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.http.tls.ServerTls;
import dev.vivarium.node.http.tls.TlsFiles;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How the API listens: with TLS, or in clear text where nobody else can listen. */
final class ApiListening {
    private static final Logger LOG = LoggerFactory.getLogger(ApiListening.class);
    private static final String BLOCK = "vivarium.http";

    private ApiListening() {}

    /**
     * The TLS of the API, as the options configure it; called before anything is started.
     *
     * @return empty for clear text
     * @throws NodeStartException when its files are of no use, or clear text could be read on the way
     */
    static Optional<ServerTls> tls(NodeOptions options, Clock clock) throws NodeStartException {
        Config http = NodeConfig.of(options.config(), options.overrides()).all().getConfig(BLOCK);
        Optional<TlsFiles> files = TlsFiles.from(http.getConfig("tls"));
        if (files.isPresent()) {
            return Optional.of(ServerTls.of(files.get(), clock));
        }
        if (!isLoopback(options.host())) {
            requireAccepted(options.host(), http.getBoolean("insecure-tokens-in-clear-text"));
        }
        return Optional.empty();
    }

    private static void requireAccepted(String host, boolean accepted) throws NodeStartException {
        if (!accepted) {
            throw new NodeStartException("--host " + host
                    + " is not a loopback address, and without TLS everyone on the way could read the tokens"
                    + " of the API's callers. Give the API a certificate with --certificate and --key, or accept"
                    + " that with --insecure-tokens-in-clear-text.");
        }
        LOG.warn("Tokens reach {} in clear text: everyone on the way can read and use them.", host);
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException unknown) {
            // Binding to it fails, and the operator is told so.
            return false;
        }
    }

    /** Uses replaced files while the node runs. */
    static void keepCurrent(ServerTls tls, NodeCore core) {
        Duration interval = core.config().getDuration(BLOCK + ".tls.refresh");
        core.metrics().gauge("vivarium.http.certificate.expires", tls, used -> used.expiresAt()
                .getEpochSecond());
        core.system()
                .scheduler()
                .scheduleWithFixedDelay(
                        interval,
                        interval,
                        tls::refresh,
                        core.system().dispatchers().lookup(DispatcherSelector.fromConfig(BlockingThreads.DISPATCHER)));
    }
}
