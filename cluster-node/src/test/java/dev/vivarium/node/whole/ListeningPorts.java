package dev.vivarium.node.whole;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** The TCP ports on which processes listen, on loopback or on all addresses, as listed by the kernel. */
final class ListeningPorts {
    private static final int LOCAL_ADDRESS = 1;
    private static final int STATE = 3;
    private static final int INODE = 9;
    private static final String LISTENS = "0A";
    /** Loopback or any address; the kernel prints IPv4 in little-endian order, alone or mapped into IPv6. */
    private static final Pattern FOR_THE_MACHINE = Pattern.compile("(0+(FFFF0000)?)?......7F:.*|0+:.*|0+01000000:.*");

    private ListeningPorts() {}

    static Set<Integer> of(List<Long> pids) throws IOException {
        Set<String> sockets = new HashSet<>();
        for (long pid : pids) {
            try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
                for (Path descriptor : descriptors) {
                    // For example socket:[12345].
                    sockets.add(Files.readSymbolicLink(descriptor).toString().replaceAll("\\D", ""));
                }
            }
        }
        Set<Integer> ports = new TreeSet<>();
        for (String family : List.of("tcp", "tcp6")) {
            Files.readAllLines(Path.of("/proc/net/" + family)).stream()
                    .map(line -> line.strip().split("\\s+"))
                    .filter(fields -> fields.length > INODE && fields[STATE].equals(LISTENS))
                    .filter(fields -> sockets.contains(fields[INODE]))
                    .map(fields -> fields[LOCAL_ADDRESS])
                    .filter(address -> FOR_THE_MACHINE.matcher(address).matches())
                    .map(address -> Integer.parseInt(address.substring(address.indexOf(':') + 1), 16))
                    .forEach(ports::add);
        }
        return ports;
    }
}
