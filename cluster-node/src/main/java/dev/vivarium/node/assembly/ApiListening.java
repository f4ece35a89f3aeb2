package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.access.CallerCertificates;
import dev.vivarium.node.access.CallerSettings;
import dev.vivarium.node.http.tls.ClientCertificates;
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

/**
 * How the API listens: with TLS, or in clear text where nobody else can listen.
 *
 * @param tls empty for clear text
 * @param callers what callers' certificates are judged by; empty where they present none
 */
record ApiListening(Optional<ServerTls> tls, Optional<CallerCertificates> callers) {
    private static final Logger LOG = LoggerFactory.getLogger(ApiListening.class);
    private static final String BLOCK = "vivarium.http";

    /**
     * As the options configure it; called before anything is started.
     *
     * @throws NodeStartException when its files are of no use, or clear text could be read on the way
     */
    static ApiListening of(NodeOptions options, Clock clock) throws NodeStartException {
        Config http = NodeConfig.of(options.config(), options.overrides()).all().getConfig(BLOCK);
        Optional<TlsFiles> files = TlsFiles.from(http.getConfig("tls"));
        Optional<CallerSettings> settings = CallerSettings.from(http.getConfig("tls.callers"));
        if (files.isPresent()) {
            Optional<CallerCertificates> callers =
                    settings.isPresent() ? Optional.of(CallerCertificates.of(settings.get(), clock)) : Optional.empty();
            Optional<ClientCertificates> asked = callers.map(known -> new ClientCertificates(known::issuers));
            return new ApiListening(Optional.of(ServerTls.of(files.get(), asked, clock)), callers);
        }
        if (settings.isPresent()) {
            throw new NodeStartException(
                    "vivarium.http.tls.callers asks for certificates, which callers present in TLS:"
                            + " give the API a certificate of its own with --certificate and --key.");
        }
        if (!isLoopback(options.host())) {
            requireAccepted(options.host(), http.getBoolean("insecure-tokens-in-clear-text"));
        }
        return new ApiListening(Optional.empty(), Optional.empty());
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
    void keepCurrent(NodeCore core) {
        tls.ifPresent(used -> {
            core.metrics().gauge("vivarium.http.certificate.expires", used, own -> own.expiresAt()
                    .getEpochSecond());
            repeat(core, used::refresh);
        });
        callers.ifPresent(known -> repeat(core, known::refresh));
    }

    private static void repeat(NodeCore core, Runnable refresh) {
        Duration interval = core.config().getDuration(BLOCK + ".tls.refresh");
        core.system()
                .scheduler()
                .scheduleWithFixedDelay(
                        interval,
                        interval,
                        refresh,
                        core.system().dispatchers().lookup(DispatcherSelector.fromConfig(BlockingThreads.DISPATCHER)));
    }
}
