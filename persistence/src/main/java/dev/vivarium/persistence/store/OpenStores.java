package dev.vivarium.persistence.store;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The open stores of this JVM. A journal plugin is created by name from a configuration, which can hold text only; so
 * it identifies its store by a number and finds it here.
 */
public final class OpenStores {
    private static final Map<Long, Store> STORES = new ConcurrentHashMap<>();
    private static final AtomicLong NUMBERS = new AtomicLong();

    private OpenStores() {}

    /** Registers a store until it is {@link #remove removed}. */
    public static long add(Store store) {
        long number = NUMBERS.incrementAndGet();
        STORES.put(number, store);
        return number;
    }

    /**
     * The open store with the number.
     *
     * @throws IllegalStateException when it is closed
     */
    public static <S extends Store> S get(long number, Class<S> kind) {
        Store store = STORES.get(number);
        if (store == null) {
            throw new IllegalStateException(
                    "Store " + number + " is closed: open it before the actor system, and close it after.");
        }
        return kind.cast(store);
    }

    public static void remove(long number) {
        STORES.remove(number);
    }
}
