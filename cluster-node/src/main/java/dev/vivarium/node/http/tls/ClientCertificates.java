package dev.vivarium.node.http.tls;

import java.net.Socket;
import java.security.cert.X509Certificate;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Lets clients present certificates. The handshake proves that a client has the private key, and judges nothing else: who the
 * certificate's holder is, and whether it holds, is decided for each request ({@code access.CallerCertificates}), which is
 * also where a client is told why not, in place of a broken handshake. Only for the server's side.
 */
public final class ClientCertificates extends X509ExtendedTrustManager {
    private final Supplier<X509Certificate[]> issuers;

    /**
     * Asks clients for certificates.
     *
     * @param issuers whose certificates clients are asked for, at the moment
     */
    public ClientCertificates(Supplier<X509Certificate[]> issuers) {
        this.issuers = issuers;
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {
        throw noServer();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket) {
        throw noServer();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind) {
        throw noServer();
    }

    private static IllegalStateException noServer() {
        return new IllegalStateException("This judges no server.");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return issuers.get();
    }
}
