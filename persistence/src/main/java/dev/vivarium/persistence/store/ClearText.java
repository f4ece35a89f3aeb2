package dev.vivarium.persistence.store;

/** Whether a node may speak with a store on another machine without TLS, or without verifying its servers. */
public enum ClearText {
    REFUSED,
    ALLOWED;

    /** What a store's key {@code insecure-store-in-clear-text} says. */
    public static ClearText of(boolean insecureStoreInClearText) {
        return insecureStoreInClearText ? ALLOWED : REFUSED;
    }

    /** Whether connections to the host, as an address of a store names it, never leave this machine. */
    public static boolean isLoopback(String host) {
        return host.equals("localhost")
                || host.equals("::1")
                || host.equals("[::1]")
                || host.matches("127(\\.[0-9]{1,3}){3}");
    }
}
