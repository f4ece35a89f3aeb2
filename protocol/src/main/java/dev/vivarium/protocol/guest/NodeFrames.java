package dev.vivarium.protocol.guest;

import dev.vivarium.protocol.guest.NodeFrame.Arm;
import dev.vivarium.protocol.guest.NodeFrame.CloseStdin;
import dev.vivarium.protocol.guest.NodeFrame.Credit;
import dev.vivarium.protocol.guest.NodeFrame.KillAll;
import dev.vivarium.protocol.guest.NodeFrame.LinkKind;
import dev.vivarium.protocol.guest.NodeFrame.ListFolder;
import dev.vivarium.protocol.guest.NodeFrame.MakeFolder;
import dev.vivarium.protocol.guest.NodeFrame.MakeLink;
import dev.vivarium.protocol.guest.NodeFrame.Ping;
import dev.vivarium.protocol.guest.NodeFrame.ReadFile;
import dev.vivarium.protocol.guest.NodeFrame.Resize;
import dev.vivarium.protocol.guest.NodeFrame.Resource;
import dev.vivarium.protocol.guest.NodeFrame.Signal;
import dev.vivarium.protocol.guest.NodeFrame.SignalScope;
import dev.vivarium.protocol.guest.NodeFrame.Spawn;
import dev.vivarium.protocol.guest.NodeFrame.Stdin;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import dev.vivarium.protocol.guest.NodeFrame.TerminalSize;
import dev.vivarium.protocol.guest.NodeFrame.WriteFile;
import dev.vivarium.protocol.run.Blob;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Encodes and decodes each frame from the node. */
final class NodeFrames {
    private static final int ARM = 0x01;
    private static final int WRITE_FILE = 0x02;
    private static final int SPAWN = 0x03;
    private static final int STDIN = 0x04;
    private static final int CLOSE_STDIN = 0x05;
    private static final int SIGNAL = 0x06;
    private static final int RESIZE = 0x07;
    private static final int CREDIT = 0x08;
    private static final int KILL_ALL = 0x09;
    private static final int PING = 0x0a;
    private static final int MAKE_FOLDER = 0x0b;
    private static final int MAKE_LINK = 0x0c;
    private static final int LIST_FOLDER = 0x0d;
    private static final int READ_FILE = 0x0e;

    private static final int LAST_SIGNAL = 64;

    private NodeFrames() {}

    static NodeFrame read(FrameReader in) {
        int type = in.u8();
        return switch (type) {
            case ARM -> new Arm(in.u64());
            case WRITE_FILE -> readWriteFile(in);
            case SPAWN -> readSpawn(in);
            case STDIN -> new Stdin(in.u32(), in.bytes());
            case CLOSE_STDIN -> new CloseStdin(in.u32());
            case SIGNAL -> new Signal(in.u32(), signal(in.u8()), in.choice(SignalScope.values()));
            case RESIZE -> new Resize(in.u32(), new TerminalSize(in.u16(), in.u16()));
            case CREDIT -> new Credit(in.u32(), in.choice(Stream.values()), in.u32());
            case KILL_ALL -> new KillAll(in.u32());
            case PING -> new Ping(in.u32());
            case MAKE_FOLDER -> readMakeFolder(in);
            case MAKE_LINK -> readMakeLink(in);
            case LIST_FOLDER -> readListFolder(in);
            case READ_FILE -> readReadFile(in);
            default -> throw new MalformedFrameException(
                    "No node sends frames of type 0x" + Integer.toHexString(type) + ".");
        };
    }

    static void write(NodeFrame frame, FrameWriter out) {
        if (frame instanceof Arm arm) {
            out.u8(ARM, "type").u64(arm.deadlineMillis(), "deadline");
        } else if (frame instanceof WriteFile file) {
            out.u8(WRITE_FILE, "type").u32(file.request(), "request").u32(file.mode(), "mode");
            out.u32(file.uid(), "uid").u32(file.gid(), "gid").u64(file.offset(), "offset");
            out.text(file.path(), "path").bytes(file.data());
        } else if (frame instanceof Spawn spawn) {
            writeSpawn(spawn, out);
        } else if (frame instanceof Stdin stdin) {
            out.u8(STDIN, "type").u32(stdin.process(), "process").bytes(stdin.data());
        } else if (frame instanceof CloseStdin close) {
            out.u8(CLOSE_STDIN, "type").u32(close.process(), "process");
        } else if (frame instanceof Signal signal) {
            out.u8(SIGNAL, "type").u32(signal.process(), "process").u8(signal(signal.signal()), "signal");
            out.choice(signal.scope());
        } else if (frame instanceof Resize resize) {
            out.u8(RESIZE, "type").u32(resize.process(), "process");
            writeSize(resize.size(), out);
        } else if (frame instanceof Credit credit) {
            out.u8(CREDIT, "type").u32(credit.process(), "process");
            out.choice(credit.stream()).u32(credit.bytes(), "credit");
        } else if (frame instanceof KillAll kill) {
            out.u8(KILL_ALL, "type").u32(kill.graceMillis(), "grace");
        } else if (frame instanceof Ping ping) {
            out.u8(PING, "type").u32(ping.request(), "request");
        } else if (frame instanceof MakeFolder folder) {
            out.u8(MAKE_FOLDER, "type").u32(folder.request(), "request").u32(folder.mode(), "mode");
            out.u32(folder.uid(), "uid").u32(folder.gid(), "gid").text(folder.path(), "path");
        } else if (frame instanceof MakeLink link) {
            out.u8(MAKE_LINK, "type").u32(link.request(), "request");
            out.u32(link.uid(), "uid").u32(link.gid(), "gid").choice(link.kind());
            out.text(link.path(), "path").text(link.target(), "target");
        } else if (frame instanceof ListFolder folder) {
            out.u8(LIST_FOLDER, "type").u32(folder.request(), "request").u32(folder.uid(), "uid");
            out.u32(folder.gid(), "gid").u64(folder.place(), "place").text(folder.path(), "path");
        } else if (frame instanceof ReadFile file) {
            out.u8(READ_FILE, "type").u32(file.request(), "request").u32(file.uid(), "uid");
            out.u32(file.gid(), "gid").u64(file.offset(), "offset");
            out.u32(readable(file.bytes()), "bytes").text(file.path(), "path");
        }
    }

    private static WriteFile readWriteFile(FrameReader in) {
        int request = in.u32();
        int mode = in.u32();
        int uid = in.u32();
        int gid = in.u32();
        long offset = in.u64();
        String path = in.text();
        Blob data = in.bytes();
        return new WriteFile(request, path, mode, uid, gid, offset, data);
    }

    private static MakeFolder readMakeFolder(FrameReader in) {
        int request = in.u32();
        int mode = in.u32();
        int uid = in.u32();
        int gid = in.u32();
        return new MakeFolder(request, in.text(), mode, uid, gid);
    }

    private static MakeLink readMakeLink(FrameReader in) {
        int request = in.u32();
        int uid = in.u32();
        int gid = in.u32();
        LinkKind kind = in.choice(LinkKind.values());
        String path = in.text();
        return new MakeLink(request, path, kind, in.text(), uid, gid);
    }

    private static ListFolder readListFolder(FrameReader in) {
        int request = in.u32();
        int uid = in.u32();
        int gid = in.u32();
        long place = in.u64();
        return new ListFolder(request, in.text(), place, uid, gid);
    }

    private static ReadFile readReadFile(FrameReader in) {
        int request = in.u32();
        int uid = in.u32();
        int gid = in.u32();
        long offset = in.u64();
        int bytes = readable(in.u32());
        return new ReadFile(request, in.text(), offset, bytes, uid, gid);
    }

    private static int readable(int bytes) {
        if (bytes > GuestCodec.READ_LIMIT_BYTES) {
            throw new MalformedFrameException("A frame asks for " + bytes + " bytes of a file; 0 to "
                    + GuestCodec.READ_LIMIT_BYTES + " can be read at once.");
        }
        return bytes;
    }

    private static void writeSpawn(Spawn spawn, FrameWriter out) {
        out.u8(SPAWN, "type")
                .u32(spawn.process(), "process")
                .u32(spawn.uid(), "uid")
                .u32(spawn.gid(), "gid");
        out.u32(spawn.outputWindowBytes(), "output window");
        out.u8(spawn.terminal().isPresent() ? 1 : 0, "terminal");
        writeSize(spawn.terminal().orElse(new TerminalSize(0, 0)), out);
        out.text(spawn.workdir(), "working directory").texts(spawn.argv(), "command");
        out.u32(spawn.env().size(), "environment");
        spawn.env().forEach((name, value) -> out.text(variable(name) + "=" + value, "environment"));
        out.u32(spawn.rlimits().size(), "resource limits");
        spawn.rlimits().forEach((resource, value) -> out.choice(resource).u64(value, "limit " + resource));
    }

    private static Spawn readSpawn(FrameReader in) {
        int process = in.u32();
        int uid = in.u32();
        int gid = in.u32();
        int window = in.u32();
        boolean onTerminal = in.flag();
        TerminalSize size = new TerminalSize(in.u16(), in.u16());
        String workdir = in.text();
        List<String> argv = in.texts();
        Map<String, String> env = environment(in.texts());
        Map<Resource, Long> rlimits = readLimits(in);
        Optional<TerminalSize> terminal = onTerminal ? Optional.of(size) : Optional.empty();
        return new Spawn(process, argv, env, workdir, uid, gid, rlimits, terminal, window);
    }

    private static Map<Resource, Long> readLimits(FrameReader in) {
        int count = in.u32();
        Map<Resource, Long> rlimits = new EnumMap<>(Resource.class);
        for (int i = 0; i < count; i++) {
            if (rlimits.put(in.choice(Resource.values()), in.u64()) != null) {
                throw new MalformedFrameException("A frame limits one resource twice.");
            }
        }
        return rlimits;
    }

    private static Map<String, String> environment(List<String> variables) {
        Map<String, String> env = new LinkedHashMap<>();
        for (String variable : variables) {
            int equals = variable.indexOf('=');
            if (equals < 1) {
                throw new MalformedFrameException("A frame carries a variable without a name.");
            }
            if (env.put(variable.substring(0, equals), variable.substring(equals + 1)) != null) {
                throw new MalformedFrameException("A frame sets one variable twice.");
            }
        }
        return env;
    }

    private static void writeSize(TerminalSize size, FrameWriter out) {
        out.u16(size.rows(), "rows").u16(size.columns(), "columns");
    }

    private static String variable(String name) {
        if (name.isEmpty() || name.indexOf('=') >= 0) {
            throw new MalformedFrameException("A variable's name is empty or contains an equals sign.");
        }
        return name;
    }

    /** Checks that a signal's number is valid. */
    static int signal(int number) {
        if (number < 1 || number > LAST_SIGNAL) {
            throw new MalformedFrameException("There is no signal " + number + "; they go from 1 to 64.");
        }
        return number;
    }
}
