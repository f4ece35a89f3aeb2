package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.StartFailure;
import dev.vivarium.protocol.run.StartFailure.Kind;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** How a spec becomes frames to the guest, and how the guest's refusals become sentences for the run's owner. Pure. */
final class AgentStart {
    static final String WORKSPACE = "/workspace";

    private AgentStart() {}

    /** Those of the secrets that are added to requests on their way, and never come into the sandbox. */
    static Map<String, String> injected(RunSpec spec, Map<String, String> secrets) {
        Map<String, String> injected = new HashMap<>(secrets);
        injected.keySet().retainAll(spec.egress().injectedSecrets());
        return injected;
    }

    /** The frame that starts the agent. What the run asks for goes before what the image says. */
    static NodeFrame.Spawn spawn(
            AttemptName attempt,
            SandboxId sandbox,
            RunSpec spec,
            Map<String, String> imageEnvironment,
            Map<String, String> secrets,
            SandboxSettings settings) {
        Map<String, String> env = new LinkedHashMap<>();
        env.put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        env.put("LANG", "C.UTF-8");
        env.putAll(imageEnvironment);
        env.put("HOME", WORKSPACE);
        env.put("TMPDIR", "/tmp");
        env.put("VIVARIUM_RUN_ID", attempt.run().value());
        env.put("VIVARIUM_ATTEMPT", Integer.toString(attempt.attempt()));
        env.putAll(spec.env());
        secrets.forEach((name, value) -> {
            if (!spec.egress().injectedSecrets().contains(name)) {
                env.put(name, value);
            }
        });
        return new NodeFrame.Spawn(
                ProcessId.COMMAND.value(),
                spec.command(),
                env,
                spec.workdir(),
                sandbox.agentUid(),
                sandbox.agentUid(),
                resources(spec, settings),
                Optional.empty(),
                settings.outputWindowBytes());
    }

    /**
     * Where the kernel is shared, it counts a user's processes in all sandboxes together, so a limit on them would let
     * neighbours starve each other; the control group counts there. In a kernel of its own, the sandbox may start one
     * more than it may keep: so it is seen to have passed its limit, and cannot go on from there.
     */
    private static Map<NodeFrame.Resource, Long> resources(RunSpec spec, SandboxSettings settings) {
        Map<NodeFrame.Resource, Long> resources = new EnumMap<>(NodeFrame.Resource.class);
        resources.put(NodeFrame.Resource.NOFILE, settings.noFile());
        resources.put(NodeFrame.Resource.CORE, 0L);
        if (spec.isolation().hasOwnKernel()) {
            resources.put(NodeFrame.Resource.NPROC, spec.limits().get(Limit.PIDS) + 1L);
        }
        return resources;
    }

    static StartFailure refused(GuestFrame.SpawnFailed failed, RunSpec spec) {
        String command = spec.command().get(0);
        if (failed.stage() == GuestFrame.Stage.WORKDIR) {
            return new StartFailure(
                    Kind.WORKDIR_UNAVAILABLE,
                    "The working directory " + spec.workdir() + " cannot be entered by the agent's user ("
                            + errno(failed) + "): name one that the image has, or leave it out for " + WORKSPACE + ".");
        }
        if (failed.stage() == GuestFrame.Stage.PREPARE) {
            return new StartFailure(
                    Kind.SANDBOX_REFUSED, "The sandbox could not prepare a process (" + errno(failed) + ").");
        }
        return switch (failed.errno()) {
            case Errno.ENOENT, Errno.ENOTDIR -> new StartFailure(
                    Kind.COMMAND_NOT_FOUND,
                    "There is no command '" + command + "' in image " + spec.image()
                            + ": check its name, or give its full path.");
            case Errno.E2BIG -> tooLong();
            default -> new StartFailure(
                    Kind.COMMAND_NOT_EXECUTABLE,
                    "The command '" + command + "' cannot be executed (" + errno(failed)
                            + "): it must be a program, or a script with a first line such as #!/usr/bin/python3, and"
                            + " be marked executable.");
        };
    }

    /** What the run and its image put into arguments and environment is beyond the kernel's measure, or the channel's. */
    static StartFailure tooLong() {
        return new StartFailure(
                Kind.SANDBOX_REFUSED,
                "Arguments and environment together are more than the kernel takes: pass large data as files.");
    }

    static StartFailure fileRefused(String path, int errno) {
        return new StartFailure(
                Kind.FILE_REFUSED,
                "The file " + path + " could not be written (" + Errno.name(errno)
                        + "): check that it fits into limits.disk and that no part of its path is a file.");
    }

    /** What a failed creation means to the run's owner; empty when it was not the run's doing. */
    static Optional<StartFailure> failure(DriverException failed) {
        return switch (failed.kind()) {
            case IMAGE_UNAVAILABLE -> Optional.of(new StartFailure(Kind.IMAGE_UNAVAILABLE, message(failed)));
            case IMAGE_REFUSED -> Optional.of(new StartFailure(Kind.IMAGE_REFUSED, message(failed)));
            case REFUSED, GUEST_SILENT, ATTEMPT_CLAIMED -> Optional.of(
                    new StartFailure(Kind.SANDBOX_REFUSED, message(failed)));
            case ENGINE_UNAVAILABLE, SANDBOX_UNKNOWN -> Optional.empty();
        };
    }

    private static String message(DriverException failed) {
        return String.valueOf(failed.getMessage());
    }

    private static String errno(GuestFrame.SpawnFailed failed) {
        return Errno.name(failed.errno());
    }
}
