package dev.vivarium.node.network;

import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.egress.EgressPolicy;
import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** Sandboxes with a network, by address and by id. Thread-safe. */
final class Attachments implements EgressSubjects {
    private final Map<String, Attachment> byAddress = new ConcurrentHashMap<>();
    private final Map<SandboxId, Attachment> bySandbox = new ConcurrentHashMap<>();

    /**
     * One sandbox's attachment to the network.
     *
     * @param address its address
     * @param link the node's end of its link
     */
    record Attachment(String address, String link, EgressSubject subject) {
        boolean isPublic() {
            return subject.policy().mode() == EgressPolicy.Mode.PUBLIC;
        }

        SandboxId sandbox() {
            return subject.sandbox();
        }
    }

    /** Call before the link exists, so that the address is known by the time that packets can come from it. */
    void begin(Attachment attachment) {
        byAddress.put(attachment.address, attachment);
    }

    /**
     * The link exists. Before this, {@link #remove} does not find the sandbox: a partial attachment is undone by its
     * builder.
     */
    void complete(Attachment attachment) {
        bySandbox.put(attachment.sandbox(), attachment);
    }

    /** The link could not be created. */
    void abandon(Attachment attachment) {
        byAddress.remove(attachment.address);
    }

    Optional<Attachment> of(SandboxId sandbox) {
        return Optional.ofNullable(bySandbox.get(sandbox));
    }

    /** Frees the address. If several callers try, one gets the attachment, and must disconnect it. */
    Optional<Attachment> remove(SandboxId sandbox) {
        Optional<Attachment> removed = Optional.ofNullable(bySandbox.remove(sandbox));
        removed.ifPresent(this::abandon);
        return removed;
    }

    /** All attachments, including those whose link is being created. */
    Collection<Attachment> all() {
        return List.copyOf(byAddress.values());
    }

    boolean isEmpty() {
        return bySandbox.isEmpty();
    }

    /** The number of connections that the kernel allows from each address with access to the outside. */
    Map<String, Long> allotments() {
        return all().stream()
                .filter(Attachment::isPublic)
                .collect(Collectors.toMap(Attachment::address, attachment -> attachment.subject.connectionsMax()));
    }

    @Override
    public Optional<EgressSubject> at(InetAddress source) {
        return Optional.ofNullable(byAddress.get(source.getHostAddress())).map(Attachment::subject);
    }
}
