package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.AgentAccount;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives each agent a name, in any image: the image's /etc/passwd and /etc/group, with the agent's entry added. Without them, the
 * agent's uid has no name, and only USER and LOGNAME are set.
 */
final class AccountFiles {
    private static final Logger LOG = LoggerFactory.getLogger(AccountFiles.class);
    private static final int IMAGES_MAX = 64;

    private final GuestVolume guest;
    private final Map<String, Image> images = new LinkedHashMap<>(16, 0.75f, true);

    /** The image's files; empty if a path is not a file, so that none can be bound over it. */
    private record Image(Optional<byte[]> passwd, Optional<byte[]> group) {}

    AccountFiles(GuestVolume guest) {
        this.guest = guest;
    }

    /** The content of the files by path, for a sandbox of an image. Blocks. */
    Map<String, byte[]> of(SandboxId id, String imageId) {
        try {
            Image image = image(imageId);
            return AgentAccount.files(image.passwd, image.group, id.agentUid());
        } catch (DriverException failed) {
            LOG.warn("The agent of sandbox {} has no name in its /etc/passwd: {}", id, failed.getMessage());
            return Map.of();
        }
    }

    private Image image(String imageId) {
        synchronized (images) {
            Image known = images.get(imageId);
            if (known != null) {
                return known;
            }
        }
        List<Optional<byte[]>> files =
                guest.filesOf(imageId, List.of(AgentAccount.PASSWD, AgentAccount.GROUP), AgentAccount.IMAGE_BYTES_MAX);
        Image read = new Image(files.get(0), files.get(1));
        synchronized (images) {
            images.put(imageId, read);
            if (images.size() > IMAGES_MAX) {
                images.remove(images.keySet().iterator().next());
            }
        }
        return read;
    }
}
