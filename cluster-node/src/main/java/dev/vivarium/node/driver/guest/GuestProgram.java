package dev.vivarium.node.driver.guest;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The guest program built with this node, process 1 of every sandbox. */
public final class GuestProgram {
    /** Its file name. */
    public static final String NAME = "vivarium-init";

    private static final String RESOURCE = "/guest/" + NAME;
    private static final int ELF_MACHINE_OFFSET = 18;
    private static final int ELF_X86_64 = 62;
    private static final int ELF_AARCH64 = 183;

    private final byte[] bytes;
    private final String sha256;

    /** The program from these bytes, an ELF executable. */
    public GuestProgram(byte[] bytes) {
        this.bytes = bytes.clone();
        this.sha256 = sha256(bytes);
    }

    /** The program of this build. */
    public static GuestProgram load() {
        try (InputStream in = GuestProgram.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException("The guest program is missing from this build: run the Maven build.");
            }
            return new GuestProgram(in.readAllBytes());
        } catch (IOException unreadable) {
            throw new UncheckedIOException("The guest program cannot be read.", unreadable);
        }
    }

    /** A copy of the executable. */
    public byte[] bytes() {
        return bytes.clone();
    }

    /** Its size in bytes. */
    public int length() {
        return bytes.length;
    }

    /** Its SHA-256 digest, in lower case hexadecimal. */
    public String sha256() {
        return sha256;
    }

    /** Whether the bytes are this program. */
    public boolean equalsBytes(byte[] others) {
        return sha256.equals(sha256(others));
    }

    /** Whether it runs on a machine of that architecture, as the kernel names it. */
    public boolean runsOn(String architecture) {
        int machine = (bytes[ELF_MACHINE_OFFSET] & 0xff) | (bytes[ELF_MACHINE_OFFSET + 1] & 0xff) << 8;
        return switch (machine) {
            case ELF_X86_64 -> architecture.equals("x86_64");
            case ELF_AARCH64 -> architecture.equals("aarch64");
            default -> false;
        };
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("Every Java platform has SHA-256.", impossible);
        }
    }
}
