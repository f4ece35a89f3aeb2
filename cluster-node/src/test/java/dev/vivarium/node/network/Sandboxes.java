package dev.vivarium.node.network;

import com.google.common.net.InetAddresses;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.EgressPolicy;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Sandboxes on loopback addresses, each known by its own. */
public final class Sandboxes implements EgressSubjects {
    private static final String ID = "01hzzzzzzzzzzzzzzzzzzzzzz";

    /** More than any test opens that is not about it. */
    public static final long CONNECTIONS_MAX = 1_000;

    private final Map<InetAddress, EgressSubject> subjects = new ConcurrentHashMap<>();

    /** A sandbox with an allowlist, whose address this is. */
    public InetAddress listing(String address, String... destinations) {
        return with(
                address,
                EgressPolicy.allowlist(List.of(destinations).stream()
                        .map(EgressDestination::parse)
                        .toList()));
    }

    /** A sandbox that may reach the internet, whose address this is. */
    public InetAddress onTheInternet(String address) {
        return with(address, EgressPolicy.publicInternet());
    }

    public InetAddress with(String address, EgressPolicy policy) {
        InetAddress at = InetAddresses.forString(address);
        char digit = (char) ('0' + subjects.size());
        subjects.put(at, new EgressSubject(new SandboxId(ID + digit), policy, CONNECTIONS_MAX, new HeldSecrets()));
        return at;
    }

    /** Gives the sandbox's network what it adds to the sandbox's requests. */
    public void entrust(InetAddress sandbox, Map<String, String> values) {
        at(sandbox).orElseThrow().secrets().hold(values);
    }

    @Override
    public Optional<EgressSubject> at(InetAddress source) {
        return Optional.ofNullable(subjects.get(source));
    }
}
