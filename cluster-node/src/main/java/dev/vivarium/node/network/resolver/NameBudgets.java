package dev.vivarium.node.network.resolver;

import com.google.common.cache.CacheBuilder;
import com.google.common.hash.HashFunction;
import com.google.common.hash.Hashing;
import com.google.common.net.InternetDomainName;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.egress.HostName;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentMap;

/**
 * How much each sandbox has asked: questions in the current minute, and different names in the current window, in all and
 * below each registered domain. A name can carry data to whoever runs the domain, so this is what bounds how much.
 */
final class NameBudgets {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    /** More than any node has sandboxes; beyond, the one that was silent for longest begins anew. */
    private static final int SANDBOXES_MAX = 10_000;

    private final ResolverSettings settings;
    private final InstantSource clock;
    private final ConcurrentMap<SandboxId, Budget> budgets;
    private final HashFunction hash;

    NameBudgets(ResolverSettings settings, InstantSource clock) {
        this.settings = settings;
        this.clock = clock;
        this.budgets = CacheBuilder.newBuilder()
                .maximumSize(SANDBOXES_MAX)
                .expireAfterAccess(settings.namesWindow())
                .<SandboxId, Budget>build()
                .asMap();
        // With a key of its own, or names could be made that have one hash and so count as one.
        SecureRandom random = new SecureRandom();
        this.hash = Hashing.sipHash24(random.nextLong(), random.nextLong());
    }

    /** Counts a question; false when the sandbox has asked too many within this minute. */
    boolean takeQuestion(SandboxId sandbox) {
        return budget(sandbox).takeQuestion(clock.millis() / MINUTE.toMillis());
    }

    /** Counts a name that is going to be asked for upstream; false when it is a new one too many. */
    boolean takeName(SandboxId sandbox, HostName name) {
        long window = clock.millis() / settings.namesWindow().toMillis();
        return budget(sandbox)
                .takeName(
                        window,
                        hash.hashString(name.value(), StandardCharsets.US_ASCII).asLong(),
                        registeredDomain(name));
    }

    private Budget budget(SandboxId sandbox) {
        return budgets.computeIfAbsent(sandbox, unseen -> new Budget());
    }

    /**
     * The domain that somebody registered, by the public suffix list, where suffixes of registries count and those of
     * providers do not: whoever has many names below one provider's domain has them all the same.
     */
    static String registeredDomain(HostName name) {
        if (InternetDomainName.isValid(name.value())) {
            InternetDomainName domain = InternetDomainName.from(name.value());
            if (domain.isUnderRegistrySuffix()) {
                return domain.topDomainUnderRegistrySuffix().toString();
            }
        }
        String[] labels = name.value().split("\\.", -1);
        return labels.length < 2 ? name.value() : labels[labels.length - 2] + "." + labels[labels.length - 1];
    }

    private final class Budget {
        private final Set<Long> names = new HashSet<>();
        private final Map<String, Integer> namesOfDomain = new HashMap<>();
        private long minute;
        private int questions;
        private long window;

        synchronized boolean takeQuestion(long now) {
            if (minute != now) {
                minute = now;
                questions = 0;
            }
            if (questions >= settings.questionsPerMinuteMax()) {
                return false;
            }
            questions++;
            return true;
        }

        synchronized boolean takeName(long now, long name, String domain) {
            if (window != now) {
                window = now;
                names.clear();
                namesOfDomain.clear();
            }
            if (names.contains(name)) {
                return true;
            }
            int ofDomain = namesOfDomain.getOrDefault(domain, 0);
            if (names.size() >= settings.namesMax() || ofDomain >= settings.namesPerDomainMax()) {
                return false;
            }
            names.add(name);
            namesOfDomain.put(domain, ofDomain + 1);
            return true;
        }
    }
}
