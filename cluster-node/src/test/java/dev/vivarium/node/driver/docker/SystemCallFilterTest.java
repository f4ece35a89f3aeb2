package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.vivarium.node.driver.linux.SystemCallFilter;
import dev.vivarium.protocol.run.Isolation;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Compares the filter that the kernel runs, call by call, with the file that defines it. The probe runs as an agent: a
 * second filter passes each call that the first allows to a supervisor, so that no call is ever executed and every
 * refusal comes from the sandbox's filter.
 */
@EnabledOnOs(architectures = {"amd64", "x86_64"})
@SandboxKind.EachContainer
class SystemCallFilterTest {
    private static final int NUMBER_END = 520;
    /** The runtimes' libraries skip the names of newer calls that they do not know. */
    private static final int KNOWN_TO_RUNTIMES_END = 450;

    /** uretprobe and uprobe: the kernel applies no filter, and kills processes that call them outside its trampoline. */
    private static final Set<Integer> PAST_ALL_FILTERS = Set.of(335, 336);

    private static final String EPERM = "EPERM";
    private static final String LET_THROUGH = "let through";
    private static final String ENOSYS = "ENOSYS";
    /** What the guest answers in the kernel's place, called with zeros. */
    private static final Map<String, String> BY_THE_GUEST = Map.of("sysinfo", "-1 14", "sched_getaffinity", "EINVAL");
    /** Outcomes of calls that the filter answers itself, by the errno in the file; 0 means success without any effect. */
    private static final Map<Integer, String> ERRORS = Map.of(0, "made: 0", 22, "EINVAL", 38, ENOSYS, 95, "EOPNOTSUPP");

    /** The mark in {@link #program}. */
    private static final long MARK = 0x5eccc0deL;

    private static final int MARKED_ARGUMENT = 5;
    private static final long CLOSE_ON_EXEC = 0x80000;
    private static final long CORE_LIMIT = 4;
    /** The upper half of a 32-bit argument, which the kernel ignores but a filter may compare. */
    private static final long HIGH = 1L << 32;

    @RegisterExtension
    final TestSandboxes sandboxes;

    SystemCallFilterTest(SandboxKind kind) {
        sandboxes = new TestSandboxes(kind);
    }

    @Test
    void theKernelAllowsExactlyTheCallsOfTheFile() throws IOException {
        List<Call> calls = calls();
        TestSandboxes.Live sandbox = sandboxes.create();
        String answer = sandbox.python(1, program(calls));
        sandboxes.destroy(sandbox);

        SortedMap<String, String> differing = new TreeMap<>();
        List<String> answers = answer.lines().toList();
        assertThat(answers).hasSameSizeAs(calls);
        for (int i = 0; i < calls.size(); i++) {
            Call call = calls.get(i);
            String outcome = answers.get(i);
            String mustBe = BY_THE_GUEST.getOrDefault(call.name(), outcomeByFile(call));
            boolean mayBeUnknown = call.number() >= KNOWN_TO_RUNTIMES_END && !outcome.equals(LET_THROUGH);
            if (!mayBeUnknown && !outcome.equals(mustBe)) {
                differing.put(call.toString(), outcome + " instead of " + mustBe);
            }
        }
        assertThat(differing).isEmpty();
    }

    /** One comparison rejects them all, so a few are enough; 520 is the x32 execve. */
    @Test
    void callsOfTheX32InterfaceKillTheirCaller() {
        TestSandboxes.Live sandbox = sandboxes.create();
        String ends = sandbox.python(
                1,
                """
                import ctypes, os
                libc = ctypes.CDLL(None, use_errno=True)
                ends = set()
                for number in range(0, 560, 20):
                    child = os.fork()
                    if child == 0:
                        libc.syscall(0x40000000 | number, -1, -1, -1, -1, -1, -1)
                        os._exit(0)
                    ends.add(os.waitpid(child, 0)[1])
                print(ends)
                """);
        sandboxes.destroy(sandbox);

        int endedBySigsys = 31;
        int withCore = 128;
        assertThat(ends).isIn("{" + endedBySigsys + "}", "{" + (endedBySigsys | withCore) + "}");
    }

    /** A call with as many leading arguments as the filter may inspect; the rest are zero. */
    private record Call(int number, String name, List<Long> arguments) {
        @Override
        public String toString() {
            return "%03d %s(%s)"
                    .formatted(
                            number,
                            name,
                            arguments.stream().map("%#x"::formatted).collect(Collectors.joining(", ")));
        }

        long argument(int index) {
            return index == MARKED_ARGUMENT ? MARK : index < arguments.size() ? arguments.get(index) : 0;
        }
    }

    /** Every call number, and for calls that the filter judges by their arguments, a selection of arguments. */
    private static List<Call> calls() throws IOException {
        Map<Integer, String> names = names();
        Map<String, Integer> numbers = new HashMap<>();
        names.forEach((number, name) -> numbers.put(name, number));
        List<Call> calls = new ArrayList<>();
        for (int number = 0; number < NUMBER_END; number++) {
            if (!PAST_ALL_FILTERS.contains(number)) {
                calls.add(new Call(number, names.getOrDefault(number, "unnamed"), List.of()));
            }
        }
        BiConsumer<String, List<Long>> add =
                (name, arguments) -> calls.add(new Call(numbers.get(name), name, arguments));
        for (long domain = 1; domain < 64; domain++) {
            add.accept("socket", List.of(domain, 1L));
            add.accept("socketpair", List.of(domain, 1L));
        }
        for (long domain : List.of(1L, 2L, 10L, 16L)) {
            for (long type = 1; type <= 10; type++) {
                add.accept("socketpair", List.of(domain, type | CLOSE_ON_EXEC));
                for (long protocol : List.of(0L, 1L, 6L, 15L, 17L, 33L, 58L, 115L, 132L, 136L, 255L, 262L)) {
                    add.accept("socket", List.of(domain, type | CLOSE_ON_EXEC, protocol));
                }
            }
        }
        for (long level : List.of(0L, 1L, 6L, 17L, 41L, 58L, 132L, 255L, 270L, 273L, 282L, 284L)) {
            for (long option = 0; option < 112; option++) {
                add.accept("setsockopt", List.of(0L, level, option));
            }
            add.accept("setsockopt", List.of(0L, level, HIGH | 2));
        }
        for (long request = 0x5400; request < 0x5480; request++) {
            add.accept("ioctl", List.of(0L, request));
        }
        for (long request : List.of(
                0x1L, 0x2L, 0x1260L, 0x4b3aL, 0x5200L, 0x5203L, 0x8905L, 0x89f0L, 0xb701L, 0xff0bL, 0x2100L, 0x2110L)) {
            add.accept("ioctl", List.of(0L, request));
        }
        for (long request : List.of(0x5412L, 0x541cL, 0x5423L, 0x5413L)) {
            add.accept("ioctl", List.of(0L, HIGH | request));
            add.accept("ioctl", List.of(0L, 0x40040000L | request));
        }
        for (long command = 0; command < 48; command++) {
            add.accept("fcntl", List.of(0L, command));
            add.accept("fcntl", List.of(0L, 1016L + command));
        }
        add.accept("fcntl", List.of(0L, HIGH | 37));
        for (long number = 0; number < 130; number++) {
            add.accept("madvise", List.of(0L, 0L, number));
            add.accept("prctl", List.of(number));
        }
        add.accept("madvise", List.of(0L, 0L, HIGH | 12));
        add.accept("prctl", List.of(HIGH | 67));
        add.accept("prctl", List.of(0x53564d41L));
        add.accept("prctl", List.of(0x59616d61L));
        for (long bit = 0; bit < 32; bit++) {
            add.accept("clone", List.of(1L << bit));
            add.accept("personality", List.of(1L << bit));
            add.accept("mmap", List.of(0L, 0L, 0L, 1L << bit));
            add.accept("memfd_create", List.of(0L, 1L << bit));
            add.accept("shmget", List.of(0L, 0L, 1L << bit));
            add.accept("fadvise64", List.of(0L, 0L, 0L, bit));
            add.accept("setrlimit", List.of(bit));
            add.accept("prlimit64", List.of(0L, bit, 1L));
        }
        add.accept("personality", List.of(0xffffffffL));
        add.accept("setrlimit", List.of(HIGH | CORE_LIMIT));
        add.accept("prlimit64", List.of(0L, HIGH | CORE_LIMIT, 1L));
        add.accept("prlimit64", List.of(0L, CORE_LIMIT, 0L, 1L));
        add.accept("prlimit64", List.of(0L, CORE_LIMIT, 1L, 1L));
        return calls;
    }

    private static Map<Integer, String> names() throws IOException {
        Map<Integer, String> names = new TreeMap<>();
        try (InputStream table = SystemCallFilterTest.class.getResourceAsStream("system-calls-x86_64.txt")) {
            new String(table.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.split(" "))
                    .forEach(words -> names.put(Integer.valueOf(words[0]), words[1]));
        }
        return names;
    }

    private static String outcomeByFile(Call call) throws IOException {
        JsonNode filter = new ObjectMapper().readTree(new SystemCallFilter().json(Isolation.CONTAINER));
        assertThat(filter.get("defaultAction").asText()).isEqualTo("SCMP_ACT_ERRNO");
        String outcome = EPERM;
        for (JsonNode rule : filter.get("syscalls")) {
            boolean names = false;
            for (JsonNode name : rule.get("names")) {
                names |= name.asText().equals(call.name());
            }
            if (names && argumentsMatch(rule, call)) {
                outcome = rule.get("action").asText().equals("SCMP_ACT_ALLOW")
                        ? LET_THROUGH
                        : ERRORS.get(rule.get("errnoRet").asInt());
            }
        }
        return outcome;
    }

    private static boolean argumentsMatch(JsonNode rule, Call call) {
        for (JsonNode condition : rule.path("args")) {
            long argument = call.argument(condition.get("index").asInt());
            long value = condition.get("value").asLong();
            boolean matches =
                    switch (condition.get("op").asText()) {
                        case "SCMP_CMP_EQ" -> argument == value;
                        case "SCMP_CMP_NE" -> argument != value;
                        case "SCMP_CMP_MASKED_EQ" -> (argument & value)
                                == condition.path("valueTwo").asLong();
                        default -> throw new AssertionError(
                                "The filter uses a comparison that this test does not know.");
                    };
            if (!matches) {
                return false;
            }
        }
        return true;
    }

    /** Runtimes refuse calls that they do not know with ENOSYS. */
    private static boolean mayBeMissing(Call call) throws IOException {
        String outcome = outcomeByFile(call);
        return outcome.equals(ENOSYS) || (outcome.equals(EPERM) && call.number() >= KNOWN_TO_RUNTIMES_END);
    }

    /**
     * Calls carry a mark in their sixth argument, which the sandbox's filter inspects for one call only (preadv2). The
     * probe's filter hands marked calls to a tracer; there is none, so they fail with ENOSYS. Of several filters the one that
     * refuses wins, whatever their order. Calls that may be refused with ENOSYS are made without a mark or an argument: were
     * they let through, they would do nothing and fail otherwise, or succeed.
     */
    private static String program(List<Call> calls) throws IOException {
        StringBuilder list = new StringBuilder();
        for (Call call : calls) {
            list.append("(%d,%s".formatted(call.number(), mayBeMissing(call) ? "0" : "MARK"));
            call.arguments().forEach(argument -> list.append(',').append(argument));
            list.append(",),");
        }
        return """
                import ctypes, struct
                libc = ctypes.CDLL(None, use_errno=True)
                MARK, SECCOMP, TRACE, ALLOW = 0x5eccc0de, 317, 0x7ff00000, 0x7fff0000
                def statement(code, jump_true, jump_false, k):
                    return struct.pack('HBBI', code, jump_true, jump_false, k)
                program = ctypes.create_string_buffer(
                    statement(0x20, 0, 0, 16 + 5 * 8) + statement(0x15, 0, 1, MARK)
                    + statement(0x06, 0, 0, TRACE) + statement(0x06, 0, 0, ALLOW))
                filter = ctypes.create_string_buffer(struct.pack('HxxxxxxQ', 4, ctypes.addressof(program)))
                if libc.syscall(SECCOMP, 1, 0, filter) < 0:
                    raise OSError(ctypes.get_errno(), 'no filter of its own')
                zeros = [0] * 5
                for number, mark, *arguments in [%s]:
                    ctypes.set_errno(0)
                    words = (arguments + zeros)[:5] + [mark]
                    got = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, words))
                    error = ctypes.get_errno()
                    names = {38: 'let through' if mark else 'ENOSYS', 1: 'EPERM', 22: 'EINVAL', 95: 'EOPNOTSUPP'}
                    print(names.get(error, f'{got} {error}') if got == -1 else f'made: {got}')
                """
                .formatted(list);
    }
}
