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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The filter as the kernel runs it, call by call, against the file that says what it should be. The probe is an agent: a
 * filter of its own hands each call that has been let through to its supervisor, so that no call is ever made, and a
 * refusal can only be the sandbox's.
 */
@EnabledOnOs(architectures = {"amd64", "x86_64"})
class SystemCallFilterTest {
    private static final int NUMBER_END = 520;
    /** Runtimes' libraries do not know the names of newer calls, and leave out what they do not know. */
    private static final int KNOWN_TO_RUNTIMES_END = 450;

    /** uretprobe and uprobe: the kernel asks no filter, and ends whoever calls them from elsewhere than its own code. */
    private static final Set<Integer> PAST_ALL_FILTERS = Set.of(335, 336);

    private static final String EPERM = "EPERM";
    private static final String ENOSYS = "ENOSYS";
    private static final String LET_THROUGH = "let through";

    @RegisterExtension
    final TestSandboxes sandboxes = new TestSandboxes();

    @Test
    void theKernelLetsThroughExactlyWhatTheFileAllows() throws IOException {
        List<Call> calls = calls();
        TestSandboxes.Live sandbox = sandboxes.create();
        String answer = sandbox.python(1, program(calls));
        sandboxes.destroy(sandbox);

        SortedMap<String, String> is = new TreeMap<>();
        SortedMap<String, String> mustBe = new TreeMap<>();
        List<String> answers = answer.lines().toList();
        assertThat(answers).hasSameSizeAs(calls);
        for (int i = 0; i < calls.size(); i++) {
            Call call = calls.get(i);
            String outcome = answers.get(i);
            boolean mayBeUnknown = call.number() >= KNOWN_TO_RUNTIMES_END && !outcome.equals(LET_THROUGH);
            is.put(call.toString(), mayBeUnknown ? "refused" : outcome);
            mustBe.put(call.toString(), mayBeUnknown ? "refused" : outcomeByFile(call));
        }
        assertThat(is).isEqualTo(mustBe);
    }

    /** One comparison tells them all apart, so some are enough; 520 is its execve. */
    @Test
    void callsOfTheX32InterfaceEndTheirCaller() {
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

    /** A call with the arguments that the filter may look at. */
    private record Call(int number, String name, long first, long second, long third) {
        @Override
        public String toString() {
            return "%03d %s(%#x, %#x, %#x)".formatted(number, name, first, second, third);
        }

        long argument(int index) {
            return switch (index) {
                case 0 -> first;
                case 1 -> second;
                case 2 -> third;
                default -> throw new AssertionError("The filter looks at an argument that is not tried: " + index);
            };
        }
    }

    /** Every number; and for the calls whose arguments count, what they may be. */
    private static List<Call> calls() throws IOException {
        Map<Integer, String> names = names();
        Map<String, Integer> numbers = new HashMap<>();
        names.forEach((number, name) -> numbers.put(name, number));
        List<Call> calls = new ArrayList<>();
        for (int number = 0; number < NUMBER_END; number++) {
            if (!PAST_ALL_FILTERS.contains(number)) {
                calls.add(new Call(number, names.getOrDefault(number, "unnamed"), 0, 0, 0));
            }
        }
        for (int domain = 1; domain < 64; domain++) {
            calls.add(new Call(numbers.get("socket"), "socket", domain, 1, 0));
            calls.add(new Call(numbers.get("socketpair"), "socketpair", domain, 1, 0));
        }
        for (int protocol = 1; protocol < 64; protocol++) {
            calls.add(new Call(numbers.get("socket"), "socket", 16, 3, protocol));
        }
        for (int bit = 0; bit < 32; bit++) {
            calls.add(new Call(numbers.get("clone"), "clone", 1L << bit, 0, 0));
            calls.add(new Call(numbers.get("personality"), "personality", 1L << bit, 0, 0));
        }
        calls.add(new Call(numbers.get("personality"), "personality", 0xffffffffL, 0, 0));
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
            if (names && rule.get("action").asText().equals("SCMP_ACT_ALLOW") && argumentsMatch(rule, call)) {
                outcome = LET_THROUGH;
            } else if (names && rule.path("errnoRet").asInt() == 38) {
                outcome = ENOSYS;
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
                        case "SCMP_CMP_MASKED_EQ" -> (argument & value)
                                == condition.path("valueTwo").asLong();
                        default -> throw new AssertionError("The filter compares in a way that is not known here.");
                    };
            if (!matches) {
                return false;
            }
        }
        return true;
    }

    /**
     * Calls carry a mark in their sixth argument, which no filter looks at. The probe's own filter hands those with the
     * mark to a thread that is not under it and that answers with an errno nobody else gives. Of several filters the one
     * that refuses wins, whatever its place.
     */
    private static String program(List<Call> calls) {
        StringBuilder list = new StringBuilder();
        for (Call call : calls) {
            list.append("(%d,%d,%d,%d),".formatted(call.number(), call.first(), call.second(), call.third()));
        }
        return """
                import ctypes, struct, threading, fcntl
                libc = ctypes.CDLL(None, use_errno=True)
                MARK, SIZES, SECCOMP, ANSWER = 0x5eccc0de, 0x50, 317, 1234
                NOTIF_RECV, NOTIF_SEND, NEW_LISTENER, USER_NOTIF, ALLOW = 0xc0502100, 0xc0182101, 8, 0x7fc00000, 0x7fff0000
                def statement(code, jump_true, jump_false, k):
                    return struct.pack('HBBI', code, jump_true, jump_false, k)
                program = ctypes.create_string_buffer(
                    statement(0x20, 0, 0, 16 + 5 * 8) + statement(0x15, 0, 1, MARK)
                    + statement(0x06, 0, 0, USER_NOTIF) + statement(0x06, 0, 0, ALLOW))
                filter = ctypes.create_string_buffer(struct.pack('HxxxxxxQ', 4, ctypes.addressof(program)))
                listener, ready = [], threading.Event()
                def supervise():
                    ready.wait()
                    while True:
                        call = bytearray(SIZES)
                        fcntl.ioctl(listener[0], NOTIF_RECV, call)
                        id = struct.unpack_from('Q', call)[0]
                        fcntl.ioctl(listener[0], NOTIF_SEND, struct.pack('QqiI', id, 0, -ANSWER, 0))
                threading.Thread(target=supervise, daemon=True).start()
                listener.append(libc.syscall(SECCOMP, 1, NEW_LISTENER, filter))
                if listener[0] < 0:
                    raise OSError(ctypes.get_errno(), 'no filter of its own')
                ready.set()
                words = [ctypes.c_long(0)] * 2 + [ctypes.c_long(MARK)]
                for number, *arguments in [%s]:
                    ctypes.set_errno(0)
                    got = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments), *words)
                    error = ctypes.get_errno()
                    names = {ANSWER: 'let through', 1: 'EPERM', 38: 'ENOSYS'}
                    print(names.get(error, f'{got} {error}') if got == -1 else f'made: {got}')
                """
                .formatted(list);
    }
}
