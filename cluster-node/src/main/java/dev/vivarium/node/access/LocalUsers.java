package dev.vivarium.node.access;

import dev.vivarium.protocol.access.Authentication;
import dev.vivarium.protocol.access.Credential;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Recognizes users of this machine, whom the kernel names at the other end of the node's socket: the one whose process the
 * node is, and root, who can do anything to it anyway, are operators. Principals have the number of the user, which lasts
 * longer than a name. Thread-safe.
 */
public final class LocalUsers {
    private static final Logger LOG = LoggerFactory.getLogger(LocalUsers.class);
    /** Its owner is the user of this process. */
    private static final Path SELF = Path.of("/proc/self");

    private static final int ROOT = 0;

    /** The numbers of those who are admitted. */
    private final Map<UserPrincipal, Integer> admitted;

    private LocalUsers(Map<UserPrincipal, Integer> admitted) {
        this.admitted = Map.copyOf(admitted);
    }

    /** The user of this process, and root; nobody where the system does not say who that is. */
    public static LocalUsers ofProcess() {
        Map<UserPrincipal, Integer> admitted = new HashMap<>();
        try {
            // By its number: a machine may have another name for it.
            admitted.put(
                    FileSystems.getDefault()
                            .getUserPrincipalLookupService()
                            .lookupPrincipalByName(Integer.toString(ROOT)),
                    ROOT);
            admitted.put(Files.getOwner(SELF), (Integer) Files.getAttribute(SELF, "unix:uid"));
        } catch (IOException | UnsupportedOperationException unknown) {
            LOG.warn(
                    "Users of this machine need tokens, since its system does not say whose process this is: {}",
                    unknown.getMessage());
        }
        return new LocalUsers(admitted);
    }

    /** Whose the other end is. */
    Authentication authenticate(Credential.LocalUser presented) {
        return Optional.ofNullable(admitted.get(presented.user()))
                .<Authentication>map(number -> new Authentication.Known(new Identity(
                        new Principal(Principal.Kind.LOCAL, "uid-" + number),
                        Role.OPERATOR,
                        Tenant.DEFAULT,
                        Scope.NONE,
                        Optional.empty())))
                .orElseGet(() ->
                        new Authentication.Refused("You are " + presented.user().getName()
                                + " on this machine, and this node knows only the user who runs it: ask that one for a token"
                                + " (`vivarium token create`), and present it."));
    }
}
