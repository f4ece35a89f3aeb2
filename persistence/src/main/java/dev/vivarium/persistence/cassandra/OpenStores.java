package dev.vivarium.persistence.cassandra;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The open stores of this JVM. A journal plugin is created by name from a configuration, which can hold text only; so
 * it identifies its store by a number and finds it here.
 */
final class OpenStores {
    private static final Map<Long, CassandraStore> STORES = new ConcurrentHashMap<>();
    private static final AtomicLong NUMBERS = new AtomicLong();

    private OpenStores() {}

    /** Registers a store until it is {@link #remove removed}. */
    static long add(CassandraStore store) {
        long number = NUMBERS.incrementAndGet();
        STORES.put(number, store);
        return number;
    }

    static CassandraStore get(long number) {
        CassandraStore store = STORES.get(number);
        if (store == null) {
            throw new IllegalStateException(
                    "Store " + number + " is closed: open it before the actor system, and close" + " it after.");
        }
        return store;
    }

    static void remove(long number) {
        STORES.remove(number);
    }
}
