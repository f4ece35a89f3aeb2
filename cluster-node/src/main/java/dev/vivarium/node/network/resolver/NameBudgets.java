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
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentMap;

/**
 * Limits what each sandbox asks: questions per minute, and per window the number of different names and the information
 * that questions convey, in total and below each registered domain. A name can carry data to its domain's owner, and so
 * can the choice among names already known there; this bounds how much. Answers are cached for the sandbox that asked,
 * so that repetition does not count as information.
 */
final class NameBudgets {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    /** More than a node has sandboxes; beyond, the one that was silent for longest starts over. */
    private static final int SANDBOXES_MAX = 10_000;
    /** Per sandbox; beyond, a question is asked again, and counts again. */
    private static final int KEPT_MAX = 256;
    /** Two characters of a name convey more than the choice among 256 known names. */
    private static final int REPEATED_LETTERS = 2;

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
        // A secret key, or names could be chosen that have the same hash and count as one.
        SecureRandom random = new SecureRandom();
        this.hash = Hashing.sipHash24(random.nextLong(), random.nextLong());
    }

    /** Counts a question; returns false when the sandbox has exceeded its questions per minute. */
    boolean takeQuestion(SandboxId sandbox) {
        return budget(sandbox).takeQuestion(clock.millis() / MINUTE.toMillis());
    }

    /** Counts a question to be asked upstream; returns false when it would convey too much. */
    boolean take(SandboxId sandbox, HostName name) {
        long window = clock.millis() / settings.namesWindow().toMillis();
        String domain = registeredDomain(name);
        // The domain itself conveys nothing to its owner, and a dot is no choice.
        int below = Math.max(0, name.value().length() - domain.length() - 1);
        return budget(sandbox)
                .take(
                        window,
                        hash.hashString(name.value(), StandardCharsets.US_ASCII).asLong(),
                        domain,
                        below);
    }

    /** The cached answer for this sandbox, if any. */
    Optional<Lookup> kept(SandboxId sandbox, HostName name) {
        return budget(sandbox).kept(name, clock.millis());
    }

    /** Caches an answer for the sandbox that asked, unless no server answered. */
    void keep(SandboxId sandbox, HostName name, Lookup lookup) {
        if (lookup instanceof Lookup.Found found) {
            long millis = Math.min(
                    settings.ttlMax().toMillis(),
                    Math.max(
                            settings.keptMin().toMillis(),
                            Duration.ofSeconds(found.ttlSeconds()).toMillis()));
            budget(sandbox).keep(name, new Kept(lookup, clock.millis() + millis));
        } else if (lookup instanceof Lookup.NoSuchHost || lookup instanceof Lookup.NoAddress) {
            budget(sandbox)
                    .keep(
                            name,
                            new Kept(lookup, clock.millis() + settings.keptMin().toMillis()));
        }
    }

    private record Kept(Lookup lookup, long untilMillis) {}

    private Budget budget(SandboxId sandbox) {
        return budgets.computeIfAbsent(sandbox, unseen -> new Budget());
    }

    /**
     * The registered domain according to the public suffix list, using registries' suffixes only: a provider's customer
     * may control many names below the provider's domain.
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
        private final Map<String, OfDomain> ofDomains = new HashMap<>();
        private final Map<HostName, Kept> answers = new KeptAnswers();
        private int letters;
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

        synchronized boolean take(long now, long name, String domain, int below) {
            if (window != now) {
                window = now;
                names.clear();
                ofDomains.clear();
                letters = 0;
            }
            OfDomain ofDomain = ofDomains.getOrDefault(domain, OfDomain.NOTHING);
            boolean isNew = !names.contains(name);
            int revealed = isNew ? 1 + below : Math.min(1, names.size() - 1);
            int revealedToDomain = isNew ? 1 + below : Math.min(REPEATED_LETTERS, ofDomain.names - 1);
            if (letters + revealed > settings.lettersMax()
                    || ofDomain.letters + revealedToDomain > settings.lettersPerDomainMax()
                    || (isNew && names.size() >= settings.namesMax())
                    || (isNew && ofDomain.names >= settings.namesPerDomainMax())) {
                return false;
            }
            names.add(name);
            letters += revealed;
            ofDomains.put(domain, new OfDomain(ofDomain.names + (isNew ? 1 : 0), ofDomain.letters + revealedToDomain));
            return true;
        }

        synchronized Optional<Lookup> kept(HostName name, long now) {
            return Optional.ofNullable(answers.get(name))
                    .filter(answer -> now < answer.untilMillis)
                    .map(Kept::lookup);
        }

        synchronized void keep(HostName name, Kept answer) {
            answers.put(name, answer);
        }
    }

    /** The different names below one domain, and the characters that questions about them have conveyed. */
    private record OfDomain(int names, int letters) {
        static final OfDomain NOTHING = new OfDomain(0, 0);
    }

    /** Cached answers; evicts the eldest. */
    private static final class KeptAnswers extends LinkedHashMap<HostName, Kept> {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<HostName, Kept> eldest) {
            return size() > KEPT_MAX;
        }
    }
}
