package dev.vivarium.node.http.tls;

import dev.vivarium.node.certificates.ForwardingEngine;
import javax.net.ssl.SSLEngine;

/**
 * An engine whose connection ends when this side has closed it, as RFC 8446, section 6.1, permits. Pekko's TLS stage waits for
 * the other side's close otherwise, so that a client which never answers, or has not even shaken hands, would keep its
 * connection for as long as the idle timeout is, and with some of them keep out everybody else.
 */
final class OneSidedClose extends ForwardingEngine {
    private boolean closed;

    OneSidedClose(SSLEngine engine) {
        super(engine);
    }

    @Override
    public void closeOutbound() {
        closed = true;
        super.closeOutbound();
    }

    @Override
    public boolean isInboundDone() {
        return closed || super.isInboundDone();
    }
}
