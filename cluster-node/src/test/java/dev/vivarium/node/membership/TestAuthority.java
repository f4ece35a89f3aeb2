package dev.vivarium.node.membership;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** An authority that issues certificates for nodes, made with the keytool of this Java. */
final class TestAuthority {
    private static final String PASSWORD = "of-the-tests";
    private static final String SELF = "authority";

    private final Path folder;
    private final Path keys;

    TestAuthority(Path folder) throws Exception {
        this.folder = Files.createDirectories(folder);
        this.keys = folder.resolve("keys.p12");
        make(SELF, "CN=" + SELF, List.of("-ext", "bc:critical=ca:true"));
    }

    /** The settings of a node with a certificate of this authority for this name. */
    Map<String, String> node(String alias, String name) throws Exception {
        return node(alias, name, List.of());
    }

    /** The settings of a node whose certificate expired a year ago. */
    Map<String, String> nodeWithExpiredCertificate(String alias, String name) throws Exception {
        return node(alias, name, List.of("-startdate", "-2y", "-validity", "365"));
    }

    private Map<String, String> node(String alias, String name, List<String> further) throws Exception {
        List<String> options = new ArrayList<>(List.of("-signer", SELF, "-ext", "eku=serverAuth,clientAuth"));
        options.addAll(further);
        make(alias, "CN=" + name, options);
        return Map.of(
                "vivarium.cluster.tls.enabled",
                "on",
                "vivarium.cluster.tls.key",
                pem(
                        alias + ".key",
                        "PRIVATE KEY",
                        store().getKey(alias, PASSWORD.toCharArray()).getEncoded()),
                "vivarium.cluster.tls.certificate",
                pem(alias + ".crt", "CERTIFICATE", store().getCertificate(alias).getEncoded()),
                "vivarium.cluster.tls.authority",
                pem(SELF + ".crt", "CERTIFICATE", store().getCertificate(SELF).getEncoded()));
    }

    private void make(String alias, String name, List<String> options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                alias,
                "-dname",
                name,
                "-keyalg",
                "RSA",
                "-keysize",
                "2048",
                "-storetype",
                "PKCS12",
                "-keystore",
                keys.toString(),
                "-storepass",
                PASSWORD));
        command.addAll(options);
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(keytool.waitFor()).as(said).isZero();
    }

    private KeyStore store() throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream stored = Files.newInputStream(keys)) {
            store.load(stored, PASSWORD.toCharArray());
        }
        return store;
    }

    private String pem(String file, String label, byte[] der) throws IOException {
        String text = "-----BEGIN " + label + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END " + label + "-----\n";
        return Files.writeString(folder.resolve(file), text).toString();
    }
}
