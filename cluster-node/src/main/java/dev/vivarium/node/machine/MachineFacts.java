package dev.vivarium.node.machine;

import dev.vivarium.node.driver.docker.EngineReport;
import dev.vivarium.node.driver.oci.OciRuntime;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Facts about a machine, as far as this process can read them. An empty value could not be read, which differs from none.
 *
 * @param user whether this process may do everything
 * @param kernel its kernel
 * @param groups its control groups
 * @param tables the tables of its kernel
 * @param network what the network of sandboxes needs
 * @param memory its memory
 * @param data the data folder of the node
 * @param engine its container engine
 * @param driver what makes the node's sandboxes
 * @param installed the components whose versions are known
 * @param node how the node is configured
 */
record MachineFacts(
        User user,
        Kernel kernel,
        ControlGroups groups,
        Tables tables,
        Network network,
        Memory memory,
        Data data,
        Engine engine,
        Driver driver,
        List<Installed> installed,
        NodeSettings node) {
    /** The kind of user that runs the examination. */
    enum User {
        ROOT,
        ORDINARY
    }

    /** Whether something exists. */
    enum Presence {
        YES,
        NO,
        UNKNOWN
    }

    /**
     * The kernel.
     *
     * @param release from uname -r
     * @param version the upstream version, if it shows which holes are fixed
     * @param seccomp filters of system calls
     * @param apparmor AppArmor
     * @param userNamespacesMax the maximum of user namespaces; 0 for none
     * @param corePattern the handling of core dumps
     */
    record Kernel(
            String release,
            Optional<Version> version,
            Presence seccomp,
            Presence apparmor,
            OptionalLong userNamespacesMax,
            Optional<String> corePattern) {}

    /**
     * Control groups.
     *
     * @param version 1 or 2; empty when none are mounted
     * @param controllers the controllers that are mounted
     */
    record ControlGroups(OptionalInt version, Set<String> controllers) {
        ControlGroups {
            controllers = Set.copyOf(controllers);
        }
    }

    /**
     * Tables of the whole machine.
     *
     * @param processes the maximum of processes and threads
     * @param openFiles the maximum of open files
     * @param openFilesOfAProcess the maximum of open files of this process
     * @param inotifyInstances the maximum of inotify instances per user
     * @param inotifyWatches the maximum of inotify watches per user
     * @param terminals the maximum of terminals
     * @param connections the maximum of tracked connections
     * @param neighbours the maximum of neighbours, above which the kernel drops some
     */
    record Tables(
            OptionalLong processes,
            OptionalLong openFiles,
            OptionalLong openFilesOfAProcess,
            OptionalLong inotifyInstances,
            OptionalLong inotifyWatches,
            OptionalLong terminals,
            OptionalLong connections,
            OptionalLong neighbours) {}

    /**
     * What the network of sandboxes needs.
     *
     * @param missingPrograms those of ip and nft that are missing
     * @param forwarding whether the machine forwards packets
     */
    record Network(List<String> missingPrograms, Presence forwarding) {
        Network {
            missingPrograms = List.copyOf(missingPrograms);
        }
    }

    /**
     * The memory.
     *
     * @param totalBytes the total
     * @param availableBytes the available part
     * @param swapBytes swap space on disks, without compressed memory
     */
    record Memory(OptionalLong totalBytes, OptionalLong availableBytes, OptionalLong swapBytes) {}

    /**
     * The node's data folder.
     *
     * @param folder its path, whether it exists or not
     * @param freeBytes free space on its disk
     * @param writable whether this user may write there
     */
    record Data(Path folder, OptionalLong freeBytes, Presence writable) {}

    /** The engine. */
    sealed interface Engine {
        /** The node is configured without one. */
        record None() implements Engine {}

        /**
         * It does not answer.
         *
         * @param address its address
         * @param reason the reason, as a sentence
         */
        record Silent(String address, String reason) implements Engine {}

        /**
         * It answers.
         *
         * @param address where it is
         * @param report its answer
         */
        record Answering(String address, EngineReport report) implements Engine {}
    }

    /** What makes sandboxes, as the node would decide at its start. */
    sealed interface Driver {
        /**
         * Runtimes of this machine, without the engine.
         *
         * @param runtimes one for each isolation class that is there
         */
        record Runtimes(List<OciRuntime> runtimes) implements Driver {
            public Runtimes {
                runtimes = List.copyOf(runtimes);
            }
        }

        /**
         * The engine.
         *
         * @param whyNotRuntimes why runtimes cannot, as a clause; empty if the engine is configured
         */
        record ByEngine(Optional<String> whyNotRuntimes) implements Driver {}

        /**
         * Nothing: runtimes are configured and cannot be used.
         *
         * @param why the reason, as a clause
         */
        record Missing(String why) implements Driver {}

        /** Nothing: the node is configured to start none. */
        record None() implements Driver {}
    }

    /**
     * How the node is configured.
     *
     * @param host the address that its API listens on
     * @param port its port
     * @param portState the state of that port
     * @param reach from where that address can be reached
     * @param apiTls whether the API has a certificate
     * @param storeKind the kind of its store
     * @param storeAddresses the addresses of a shared store, as host:port
     * @param storeSilent those that do not answer
     * @param formation how it finds other nodes
     * @param clusterTls whether nodes authenticate each other
     * @param memoryReserveBytes memory that the node leaves to the rest of the machine
     * @param runMemoryBytes memory and disk of a default run
     * @param runProcesses processes of a default run
     * @param openFilesReserve open files that the node leaves to the rest of the machine
     * @param runOpenFiles open files that a run of the default size takes of the machine's
     * @param runsMax the node's maximum of runs
     */
    record NodeSettings(
            String host,
            int port,
            PortState portState,
            Reach reach,
            Presence apiTls,
            String storeKind,
            List<String> storeAddresses,
            List<String> storeSilent,
            String formation,
            Presence clusterTls,
            long memoryReserveBytes,
            long runMemoryBytes,
            long runProcesses,
            long openFilesReserve,
            long runOpenFiles,
            int runsMax) {
        NodeSettings {
            storeAddresses = List.copyOf(storeAddresses);
            storeSilent = List.copyOf(storeSilent);
        }
    }

    /** The state of a port. */
    enum PortState {
        FREE,
        A_NODE,
        TAKEN,
        /** The address belongs to another machine. */
        ELSEWHERE
    }

    /** From where an address can be reached. */
    enum Reach {
        THIS_MACHINE,
        OTHERS
    }

    MachineFacts {
        installed = List.copyOf(installed);
    }
}
