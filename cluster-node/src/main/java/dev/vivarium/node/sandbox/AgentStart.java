package dev.vivarium.node.sandbox;

import dev.vivarium.node.archive.BadArchive;
import dev.vivarium.node.archive.UnpackStep;
import dev.vivarium.node.driver.AgentAccount;
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

/** Translates a spec into frames to the guest, and the guest's refusals into sentences for the run's owner. Pure. */
final class AgentStart {
    /**
     * No core file is so small, so none is written; at 1 the kernel also skips the host's core_pattern program, which
     * at 0 it would start.
     */
    private static final long CORE_BYTES = 1;

    static final String WORKSPACE = "/workspace";
    /** The user name of agents. Their user id is the sandbox's own. */
    static final String USER = AgentAccount.NAME;

    private AgentStart() {}

    /** The secrets that are added to requests by the gateway, and never enter the sandbox. */
    static Map<String, String> injected(RunSpec spec, Map<String, String> secrets) {
        Map<String, String> injected = new HashMap<>(secrets);
        injected.keySet().retainAll(spec.egress().injectedSecrets());
        return injected;
    }

    /** The frame that starts the agent. The run's environment overrides the image's. */
    static NodeFrame.Spawn spawn(
            AttemptName attempt,
            SandboxId sandbox,
            RunSpec spec,
            Map<String, String> imageEnvironment,
            Map<String, String> secrets,
            SandboxSettings settings) {
        Map<String, String> env = new LinkedHashMap<>();
        env.put("PATH", AgentAccount.PATH);
        env.put("LANG", "C.UTF-8");
        env.put("SHELL", "/bin/sh");
        // Buffered output of a killed program is lost; without this, Python writes to a pipe in pieces of 8 KiB.
        env.put("PYTHONUNBUFFERED", "1");
        env.putAll(imageEnvironment);
        env.put("HOME", WORKSPACE);
        env.put("USER", USER);
        env.put("LOGNAME", USER);
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
                resources(spec),
                Optional.empty(),
                settings.outputWindowBytes());
    }

    /**
     * With a shared kernel, a user's processes are counted across all sandboxes, so a limit on them would let
     * neighbours starve each other; there the control group counts. With a kernel of its own, the sandbox may start one
     * process beyond its limit, so that exceeding it is noticed and goes no further.
     */
    private static Map<NodeFrame.Resource, Long> resources(RunSpec spec) {
        Map<NodeFrame.Resource, Long> resources = new EnumMap<>(NodeFrame.Resource.class);
        resources.put(NodeFrame.Resource.NOFILE, spec.limits().get(Limit.OPEN_FILES));
        resources.put(NodeFrame.Resource.CORE, CORE_BYTES);
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
                    Kind.SANDBOX_REFUSED,
                    "The sandbox could not prepare a process (" + errno(failed) + "): " + remedy(failed.errno()));
        }
        return switch (failed.stage()) {
            case INTERPRETER -> new StartFailure(
                    Kind.COMMAND_NOT_EXECUTABLE,
                    "The command '" + command + "' is there, but not what is to run it: image " + spec.image()
                            + " does not have the interpreter that its first line names, or the loader that it is"
                            + " linked with. Correct that line, or choose an image that has it.");
            case CARRIAGE_RETURN -> new StartFailure(
                    Kind.COMMAND_NOT_EXECUTABLE,
                    "The first line of '" + command + "' ends in a carriage return, which becomes part of its"
                            + " interpreter's name: save the file with Unix line ends (sed -i 's/\\r$//').");
            case ARCHITECTURE -> new StartFailure(
                    Kind.COMMAND_NOT_EXECUTABLE,
                    "The command '" + command
                            + "' is a program for another processor than this node's: build it for"
                            + " this one, or give a script.");
            case PREPARE, WORKDIR, EXEC -> notExecuted(failed, command, spec);
        };
    }

    private static String remedy(int errno) {
        return switch (errno) {
            case Errno.EAGAIN -> "raise limits.pids, or submit again when the machine has fewer processes.";
            case Errno.ENOMEM -> "raise limits.memory, or submit again when the machine has more memory left.";
            case Errno.ENFILE -> "submit again when the machine has fewer files open.";
            default -> "submit again, and have the operator look at the node's log if it happens again.";
        };
    }

    private static StartFailure notExecuted(GuestFrame.SpawnFailed failed, String command, RunSpec spec) {
        return switch (failed.errno()) {
            case Errno.ENOENT, Errno.ENOTDIR -> new StartFailure(
                    Kind.COMMAND_NOT_FOUND,
                    "There is no command '" + command + "' in image " + spec.image()
                            + ": check its name, or give its full path.");
            case Errno.E2BIG -> tooLong();
            default -> new StartFailure(
                    Kind.COMMAND_NOT_EXECUTABLE,
                    "The command '" + command + "' cannot be executed (" + errno(failed)
                            + "): it must be a program, or a script with a first line such as #!/usr/bin/python3,"
                            + " and be marked executable.");
        };
    }

    /** Arguments and environment, of the run and its image, exceed what the kernel or the channel accepts. */
    static StartFailure tooLong() {
        return new StartFailure(
                Kind.SANDBOX_REFUSED,
                "Arguments and environment together are more than the kernel takes: pass large data as files.");
    }

    static StartFailure archiveRefused(String path, BadArchive why) {
        return new StartFailure(
                Kind.FILE_REFUSED, "The archive " + path + " cannot be unpacked: " + why.getMessage() + ".");
    }

    static StartFailure fileRefused(UnpackStep step, int errno) {
        return new StartFailure(
                Kind.FILE_REFUSED,
                "The " + noun(step) + " " + step.path() + " could not be made (" + Errno.name(errno) + "): "
                        + remedy(step, errno) + ".");
    }

    private static String noun(UnpackStep step) {
        if (step instanceof UnpackStep.Folder) {
            return "folder";
        }
        return step instanceof UnpackStep.Link ? "link" : "file";
    }

    private static String remedy(UnpackStep step, int errno) {
        if (errno == Errno.ENOSPC || errno == Errno.EDQUOT) {
            return "raise limits.disk, which bounds bytes, or limits.files, which bounds how many files and folders there"
                    + " are";
        }
        if (step instanceof UnpackStep.Link link && link.kind() == NodeFrame.LinkKind.HARD) {
            return "it is another name of " + link.target()
                    + ", which must be a file that comes before it in the archive,"
                    + " and not through a link. Pack that too, or the content in place of the link (tar"
                    + " --hard-dereference)";
        }
        return "no part of its path may be a file or a link, and no folder may be in its place";
    }

    /** The failure to report to the run's owner; empty when the run did not cause it. */
    static Optional<StartFailure> failure(DriverException failed) {
        return switch (failed.kind()) {
            case IMAGE_UNAVAILABLE -> Optional.of(new StartFailure(Kind.IMAGE_UNAVAILABLE, message(failed)));
            case IMAGE_REFUSED -> Optional.of(new StartFailure(Kind.IMAGE_REFUSED, message(failed)));
            case REFUSED, GUEST_SILENT, ATTEMPT_CLAIMED -> Optional.of(
                    new StartFailure(Kind.SANDBOX_REFUSED, message(failed)));
            case ENGINE_UNAVAILABLE, SANDBOX_UNKNOWN, UNSUITED -> Optional.empty();
        };
    }

    private static String message(DriverException failed) {
        return String.valueOf(failed.getMessage());
    }

    private static String errno(GuestFrame.SpawnFailed failed) {
        return Errno.name(failed.errno());
    }
}
