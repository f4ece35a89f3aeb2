package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The guest and an agent of a live sandbox as the host's kernel shows them. Lists are compared as a whole, so that every
 * added or missing entry shows.
 */
class LiveProcessesTest {
    private static final String NO_CAPABILITY = "0000000000000000";
    /** KILL (5), SETGID (6), SETUID (7) and SETPCAP (8), which the guest needs to start agents, drop privileges and kill. */
    private static final String GUEST_CAPABILITIES = "00000000000001e0";

    private static final int CAP_SYS_RESOURCE = 24;

    private static final String[] CREDENTIALS = {
        "Uid",
        "Gid",
        "Groups",
        "CapInh",
        "CapPrm",
        "CapEff",
        "CapBnd",
        "CapAmb",
        "NoNewPrivs",
        "Seccomp",
        "TracerPid",
        "Umask",
        "Threads",
        "SigBlk",
        "SigIgn"
    };

    @RegisterExtension
    final TestSandboxes sandboxes = new TestSandboxes();

    private InspectedSandbox sandbox;

    @BeforeEach
    void start() {
        sandbox = InspectedSandbox.start(sandboxes);
    }

    @AfterEach
    void destroy() {
        sandboxes.destroy(sandbox.live());
    }

    @Test
    void theGuestHasFourCapabilitiesAndCannotGainMore() {
        assertThat(sandbox.guest().status(CREDENTIALS))
                .isEqualTo(credentials("0", GUEST_CAPABILITIES, "0000000000010000", "0000000000001000"));
    }

    @Test
    void theAgentHasNoPrivileges() {
        String agent = Integer.toString(sandbox.live().id().agentUid());

        SortedMap<String, String> mustBe = credentials(agent, NO_CAPABILITY, NO_CAPABILITY, NO_CAPABILITY);

        assertThat(sandbox.agent().status(CREDENTIALS)).isEqualTo(mustBe);
    }

    private static SortedMap<String, String> credentials(
            String user, String capabilities, String blocked, String ignored) {
        String four = String.join(" ", user, user, user, user);
        SortedMap<String, String> credentials = new TreeMap<>();
        credentials.putAll(Map.of("Uid", four, "Gid", four, "Groups", "", "CapInh", NO_CAPABILITY));
        credentials.putAll(Map.of("CapPrm", capabilities, "CapEff", capabilities, "CapBnd", capabilities));
        credentials.putAll(Map.of("CapAmb", NO_CAPABILITY, "NoNewPrivs", "1", "Seccomp", "2", "TracerPid", "0"));
        credentials.putAll(Map.of("Umask", "0022", "Threads", "1", "SigBlk", blocked, "SigIgn", ignored));
        return credentials;
    }

    /** A process with the guest's own credentials: only the cleared dumpable flag keeps the guest's memory from it. */
    @Test
    void theGuestCannotBeInspectedByAProcessWithItsCredentials() {
        assertThat(Docker.run("exec", "--user", "0:0", sandbox.container(), "cat", "/proc/1/status"))
                .contains("Name:\tvivarium-init");
        assertThatThrownBy(() -> Docker.run("exec", "--user", "0:0", sandbox.container(), "cat", "/proc/1/environ"))
                .hasMessageContaining("Permission denied");
    }

    @Test
    void everyNamespaceButUserAndTimeIsTheSandboxesOwn() {
        InspectedSandbox neighbour = InspectedSandbox.start(sandboxes);
        SortedMap<String, String> host = KernelView.ofHost().namespaces();
        SortedMap<String, String> own = sandbox.guest().namespaces();
        SortedMap<String, String> others = neighbour.guest().namespaces();
        sandboxes.destroy(neighbour.live());

        assertThat(sandbox.agent().namespaces()).isEqualTo(own);
        assertThat(shared(own, host)).containsExactlyInAnyOrder("user", "time", "time_for_children");
        assertThat(shared(own, others)).containsExactlyInAnyOrder("user", "time", "time_for_children");
        assertThat(own.keySet()).isEqualTo(host.keySet());
    }

    private static List<String> shared(SortedMap<String, String> some, SortedMap<String, String> others) {
        return some.keySet().stream()
                .filter(name -> some.get(name).equals(others.get(name)))
                .toList();
    }

    @Test
    void everyLimitThatNoControlGroupEnforcesIsSet() {
        Map<String, String> mustBe = Map.of(
                "core file size", "1 1",
                "open files", "4096 4096",
                "locked memory", "65536 65536",
                "msgqueue size", "819200 819200",
                "pending signals", "1024 1024",
                "nice priority", "0 0",
                "realtime priority", "0 0");
        // Control groups limit these, or for file size and CPU time the size of the mounts and the node, so they keep
        // the engine's values.
        List<String> left = List.of(
                "cpu time",
                "file size",
                "data size",
                "stack size",
                "resident set",
                "processes",
                "address space",
                "file locks",
                "realtime timeout");

        for (KernelView process : List.of(sandbox.guest(), sandbox.agent())) {
            SortedMap<String, String> limits = process.limits();
            limits.keySet().removeAll(left);
            assertThat(limits).isEqualTo(mustBe);
        }
    }

    @Test
    void theOomKillerPrefersTheAgentToTheGuestAndBothToTheHost() {
        assertThat(sandbox.guest().text("oom_score_adj").strip()).isEqualTo("500");
        assertThat(sandbox.agent().text("oom_score_adj").strip()).isEqualTo("1000");
    }

    /** The kernel enforces a minimum set by a process with CAP_SYS_RESOURCE; an engine without it can set no minimum but 0. */
    @Test
    void theAgentCannotLowerItsOomScoreBelowTheHosts() {
        int floor = sandbox.guest().parent().hasCapability(CAP_SYS_RESOURCE) ? 500 : 0;

        String score = sandbox.live()
                .python(
                        2,
                        """
                        import os
                        file = os.open('/proc/self/oom_score_adj', os.O_WRONLY)
                        for score in range(999, -1001, -1):
                            try:
                                os.write(file, b'%d' % score)
                            except PermissionError:
                                break
                        print(open('/proc/self/oom_score_adj').read())
                        """);

        assertThat(score).isEqualTo(Integer.toString(floor));
    }

    @Test
    void bothHaveTheUsualScheduling() {
        String usual = "policy 0, real-time priority 0, nice 0";

        assertThat(sandbox.guest().scheduling()).isEqualTo(usual);
        assertThat(sandbox.agent().scheduling()).isEqualTo(usual);
    }

    @Test
    void theAgentHasOnlyItsThreeStreamsOpen() {
        assertThat(sandbox.agent().descriptors()).isEqualTo(Map.of(0, "pipe r", 1, "pipe w", 2, "pipe w"));
    }

    @Test
    void theGuestHasItsChannelAndItsAgentsStreamsOpen() {
        SortedMap<Integer, String> descriptors = sandbox.guest().descriptors();

        assertThat(descriptors)
                .containsEntry(0, "pipe r")
                .containsEntry(1, "pipe w")
                .containsEntry(2, "pipe w");
        assertThat(descriptors.tailMap(3).values())
                .containsExactlyInAnyOrder(
                        "anon_inode:[signalfd] rw", "anon_inode:seccomp notify rw", "pipe w", "pipe r", "pipe r");
    }

    @Test
    void bothHaveTheSandboxesRoot() {
        assertThat(sandbox.guest().link("root")).isEqualTo("/");
        assertThat(sandbox.guest().link("cwd")).isEqualTo("/");
        assertThat(sandbox.guest().link("exe")).isEqualTo("/.vivarium/vivarium-init");
        assertThat(sandbox.agent().link("root")).isEqualTo("/");
        assertThat(sandbox.agent().link("cwd")).isEqualTo("/workspace");
        assertThat(sandbox.agent().text("mountinfo")).isEqualTo(sandbox.guest().text("mountinfo"));
    }

    @Test
    void nothingOfTheNodeOrTheEngineIsInTheirEnvironments() {
        assertThat(sandbox.guest().strings("environ"))
                .containsExactlyInAnyOrder(
                        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                        "HOSTNAME=sandbox",
                        "HOME=/root");
        assertThat(sandbox.guest().strings("cmdline")).containsExactly("/.vivarium/vivarium-init");
        assertThat(sandbox.agent().strings("environ")).containsExactly("PATH=/usr/bin:/bin");
        assertThat(sandbox.agent().strings("cmdline")).containsExactly("cat");
    }

    @Test
    void theSandboxHasNoNetworkAndNoListeningSockets() {
        KernelView agent = sandbox.agent();
        List<String> interfaces = agent.lines("net/dev").stream()
                .skip(2)
                .map(line -> line.split(":", 2)[0].strip())
                .toList();

        assertThat(interfaces).containsExactly("lo");
        assertThat(agent.lines("net/route")).as("routes").hasSize(1);
        assertThat(agent.lines("net/ipv6_route")).as("routes of IPv6").allMatch(route -> route.endsWith(" lo"));
        for (String protocol : List.of("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "unix", "packet")) {
            assertThat(agent.lines("net/" + protocol))
                    .as("sockets of " + protocol)
                    .hasSize(1);
        }
    }
}
