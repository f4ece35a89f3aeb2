package dev.vivarium.node.cli;

import dev.vivarium.protocol.audit.Verify;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** The source of {@link Verify}, which is all that a stranger needs. */
final class VerifierSource {
    private VerifierSource() {}

    static String text() {
        try (InputStream source = Verify.class.getResourceAsStream("Verify.java")) {
            if (source == null) {
                throw new IllegalStateException("This build lacks the source of " + Verify.class.getName() + ".");
            }
            return new String(source.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new IllegalStateException("The source of the verifier cannot be read.", unreadable);
        }
    }
}
