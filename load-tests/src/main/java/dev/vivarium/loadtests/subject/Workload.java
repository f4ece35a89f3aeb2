package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The workload in each subject's form. The limits are Vivarium's defaults, and the engine gets the same restrictions
 * (docs/decisions, 9), so that both cost the kernel the same.
 *
 * @param image the image
 * @param command a command that prints something immediately and ends
 */
public record Workload(String image, List<String> command) {
    private static final long MEBIBYTE = 1L << 20;
    private static final long MEMORY_BYTES = 256 * MEBIBYTE;
    private static final long DISK_BYTES = 256 * MEBIBYTE;
    /** Vivarium's addition for its guest. */
    private static final long GUEST_BYTES = 16 * MEBIBYTE;

    private static final int PIDS = 128;
    private static final int AGENT_UID = 10_001;
    private static final long OPEN_FILES_MAX = 4096;

    public Workload {
        command = List.copyOf(command);
    }

    /** The body of POST /v1/runs. */
    public ObjectNode submission() {
        ObjectNode body = ApiJson.object().put("image", image);
        command.forEach(body.putArray("command")::add);
        body.set("egress", egress("none"));
        body.putObject("limits")
                .put("cpu", "1")
                .put("memory", MEMORY_BYTES / MEBIBYTE + "Mi")
                .put("disk", DISK_BYTES / MEBIBYTE + "Mi")
                .put("pids", PIDS);
        body.putObject("labels").put("purpose", "benchmark");
        return body;
    }

    /** The same with a network of this mode. */
    public ObjectNode submission(String network) {
        ObjectNode body = submission();
        body.set("egress", egress(network));
        return body;
    }

    /** A policy for the network of a submission: its mode, and the destinations of an allowlist. */
    public static ObjectNode egress(String mode, String... allow) {
        ObjectNode egress = ApiJson.object().put("mode", mode);
        if (allow.length > 0) {
            ArrayNode destinations = egress.putArray("allow");
            List.of(allow).forEach(destinations::add);
        }
        return egress;
    }

    /** The same with additional limits. */
    ObjectNode submission(Map<String, String> limits) {
        ObjectNode body = submission();
        limits.forEach(body.withObject("/limits")::put);
        return body;
    }

    /** The body of the engine's POST /containers/create. */
    public ObjectNode container() {
        ObjectNode body = ApiJson.object()
                .put("Image", image)
                .put("User", AGENT_UID + ":" + AGENT_UID)
                .put("WorkingDir", "/workspace")
                .put("AttachStdout", true)
                .put("AttachStderr", true);
        command.forEach(body.putArray("Cmd")::add);
        body.putObject("Labels").put("dev.vivarium.benchmark", "true");
        ObjectNode host = body.putObject("HostConfig")
                .put("NetworkMode", "none")
                .put("IpcMode", "private")
                .put("CgroupnsMode", "private")
                .put("ReadonlyRootfs", true)
                .put("Memory", MEMORY_BYTES + DISK_BYTES + GUEST_BYTES)
                .put("MemorySwap", MEMORY_BYTES + DISK_BYTES + GUEST_BYTES)
                .put("NanoCpus", 1_000_000_000L)
                .put("PidsLimit", PIDS)
                .put("ShmSize", 64 * MEBIBYTE);
        host.putArray("CapDrop").add("ALL");
        host.putArray("SecurityOpt").add("no-new-privileges:true");
        host.putObject("LogConfig").put("Type", "none");
        String common = "rw,exec,nosuid,nodev,size=" + DISK_BYTES + ",nr_inodes=" + DISK_BYTES / (8 * 1024);
        host.putObject("Tmpfs")
                .put("/workspace", common + ",mode=0700,uid=" + AGENT_UID + ",gid=" + AGENT_UID)
                .put("/tmp", common + ",mode=1777");
        ArrayNode limits = host.putArray("Ulimits");
        limits.addObject().put("Name", "nofile").put("Soft", OPEN_FILES_MAX).put("Hard", OPEN_FILES_MAX);
        limits.addObject().put("Name", "core").put("Soft", 0).put("Hard", 0);
        return body;
    }

    /**
     * The command line of the engine's client.
     *
     * @param network what the container is connected to; empty for the client's default
     * @param options further options
     */
    public List<String> dockerRun(String network, String... options) {
        List<String> line = new ArrayList<>(List.of("docker", "run", "--rm", "--log-driver", "none"));
        if (!network.isEmpty()) {
            line.addAll(List.of("--network", network));
        }
        line.addAll(List.of(options));
        line.add(image);
        line.addAll(command);
        return List.copyOf(line);
    }
}
