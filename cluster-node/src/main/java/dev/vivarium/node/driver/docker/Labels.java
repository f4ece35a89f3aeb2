package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.ListedSandbox;
import dev.vivarium.node.driver.SandboxId;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/** Labels and name that mark a container's owner. */
final class Labels {
    static final String INSTALLATION = "dev.vivarium.installation";
    static final String NODE = "dev.vivarium.node";
    static final String SANDBOX = "dev.vivarium.sandbox";
    static final String GUEST = "dev.vivarium.guest";

    private static final Pattern ATTEMPT = Pattern.compile("[1-9][0-9]{0,8}");

    private final String installation;
    private final String node;
    private final String namePrefix;

    Labels(DockerDriverConfig config) {
        this.installation = config.installation();
        this.node = config.node();
        // Names must differ between installations that share an engine; installation ids may be long and similar.
        this.namePrefix = "vivarium-" + String.format("%08x", checksum(installation)) + "-";
    }

    private static long checksum(String text) {
        CRC32 sum = new CRC32();
        sum.update(text.getBytes(StandardCharsets.UTF_8));
        return sum.getValue();
    }

    Map<String, String> of(SandboxId id) {
        return Map.of(INSTALLATION, installation, NODE, node, SANDBOX, id.value());
    }

    /** Selects the whole installation's containers. */
    List<String> installationFilter() {
        return List.of(INSTALLATION + "=" + installation);
    }

    /** The sandbox of a container with these labels; empty when it is not a node's. */
    Optional<ListedSandbox> sandbox(@Nullable Map<String, String> found) {
        String maker = found == null ? null : found.get(NODE);
        String id = found == null ? null : found.get(SANDBOX);
        if (maker == null || maker.isEmpty() || id == null || !SandboxId.isValid(id)) {
            return Optional.empty();
        }
        return Optional.of(new ListedSandbox(
                new SandboxId(id),
                node.equals(maker) ? new ListedSandbox.ThisNode() : new ListedSandbox.OtherNode(maker)));
    }

    /** Selects a sandbox's containers, whichever node of the installation created them. */
    List<String> sandboxFilter(SandboxId id) {
        return List.of(INSTALLATION + "=" + installation, SANDBOX + "=" + id.value());
    }

    /** The name of a waiting sandbox. */
    String waitingName(SandboxId id) {
        return namePrefix + id.value();
    }

    /** The name of the container of an image that is being unpacked. */
    String unpackingName(String image) {
        return unpackingStem() + image + "-" + String.format("%08x", checksum(node));
    }

    /** A regular expression that matches the names of all containers of images that this node was unpacking. */
    String unpackingNames() {
        return "^/" + unpackingStem() + "[0-9a-f]+-" + String.format("%08x", checksum(node)) + "$";
    }

    private String unpackingStem() {
        return namePrefix + "unpacking-";
    }

    /** A regular expression that matches at least the names of all sandboxes of the attempt's run. */
    String attemptNames(AttemptName attempt) {
        return "^/" + stem(attempt);
    }

    /** Whether a container of this name serves an earlier attempt of the same run. */
    boolean isBefore(String name, AttemptName attempt) {
        String stem = stem(attempt);
        if (!name.startsWith(stem)) {
            return false;
        }
        String number = name.substring(stem.length());
        return ATTEMPT.matcher(number).matches() && Integer.parseInt(number) < attempt.attempt();
    }

    /** The name of an attempt's sandbox; names are unique on an engine. */
    String attemptName(AttemptName attempt) {
        return stem(attempt) + attempt.attempt();
    }

    /** The common prefix of the names of the run's sandboxes. */
    private String stem(AttemptName attempt) {
        return namePrefix + attempt.run().value() + "-";
    }
}
