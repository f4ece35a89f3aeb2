package dev.vivarium.protocol.guest;

import dev.vivarium.protocol.guest.GuestFrame.AllGone;
import dev.vivarium.protocol.guest.GuestFrame.Done;
import dev.vivarium.protocol.guest.GuestFrame.Entry;
import dev.vivarium.protocol.guest.GuestFrame.EntryKind;
import dev.vivarium.protocol.guest.GuestFrame.Exited;
import dev.vivarium.protocol.guest.GuestFrame.FileRead;
import dev.vivarium.protocol.guest.GuestFrame.FolderListed;
import dev.vivarium.protocol.guest.GuestFrame.Hello;
import dev.vivarium.protocol.guest.GuestFrame.Output;
import dev.vivarium.protocol.guest.GuestFrame.OutputClosed;
import dev.vivarium.protocol.guest.GuestFrame.Pong;
import dev.vivarium.protocol.guest.GuestFrame.Pressure;
import dev.vivarium.protocol.guest.GuestFrame.Signaled;
import dev.vivarium.protocol.guest.GuestFrame.SpawnFailed;
import dev.vivarium.protocol.guest.GuestFrame.Spawned;
import dev.vivarium.protocol.guest.GuestFrame.Stage;
import dev.vivarium.protocol.guest.GuestFrame.StdinCredit;
import dev.vivarium.protocol.guest.GuestFrame.Use;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Limit;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Encodes and decodes each frame from the guest. */
final class GuestFrames {
    private static final int HELLO = 0x81;
    private static final int SPAWNED = 0x82;
    private static final int SPAWN_FAILED = 0x83;
    private static final int OUTPUT = 0x84;
    private static final int OUTPUT_CLOSED = 0x85;
    private static final int EXITED = 0x86;
    private static final int SIGNALED = 0x87;
    private static final int STDIN_CREDIT = 0x88;
    private static final int DONE = 0x89;
    private static final int ALL_GONE = 0x8a;
    private static final int USE = 0x8b;
    private static final int PONG = 0x8c;
    private static final int FOLDER_LISTED = 0x8d;
    private static final int FILE_READ = 0x8e;

    // values() copies its array on each call, and Output is frequent.
    private static final Stream[] STREAMS = Stream.values();
    private static final EntryKind[] KINDS = EntryKind.values();

    private GuestFrames() {}

    static GuestFrame read(FrameReader in) {
        int type = in.u8();
        return switch (type) {
            case HELLO -> new Hello(in.u32());
            case SPAWNED -> new Spawned(in.u32(), in.u32());
            case SPAWN_FAILED -> new SpawnFailed(in.u32(), in.choice(Stage.values()), in.u32());
            case OUTPUT -> new Output(in.u32(), in.choice(STREAMS), output(in.bytes()));
            case OUTPUT_CLOSED -> new OutputClosed(in.u32(), in.choice(STREAMS));
            case EXITED -> new Exited(in.u32(), in.u8());
            case SIGNALED -> new Signaled(in.u32(), NodeFrames.signal(in.u8()));
            case STDIN_CREDIT -> new StdinCredit(in.u32(), in.u32());
            case DONE -> new Done(in.u32(), in.u32());
            case ALL_GONE -> new AllGone();
            case USE -> new Use(limit(in.text()), in.u64(), in.choice(Pressure.values()));
            case PONG -> new Pong(in.u32());
            case FOLDER_LISTED -> readFolderListed(in);
            case FILE_READ -> new FileRead(in.u32(), in.u32(), in.u32(), in.u64(), data(in.bytes()));
            default -> throw new MalformedFrameException(
                    "No guest sends frames of type 0x" + Integer.toHexString(type) + ".");
        };
    }

    static void write(GuestFrame frame, FrameWriter out) {
        if (frame instanceof Hello hello) {
            out.u8(HELLO, "type").u32(hello.protocolVersion(), "protocol version");
        } else if (frame instanceof Spawned spawned) {
            out.u8(SPAWNED, "type").u32(spawned.process(), "process").u32(spawned.pid(), "pid");
        } else if (frame instanceof SpawnFailed failed) {
            out.u8(SPAWN_FAILED, "type").u32(failed.process(), "process");
            out.choice(failed.stage()).u32(failed.errno(), "errno");
        } else if (frame instanceof Output output) {
            out.u8(OUTPUT, "type").u32(output.process(), "process");
            out.choice(output.stream()).bytes(output(output.data()));
        } else if (frame instanceof OutputClosed closed) {
            out.u8(OUTPUT_CLOSED, "type").u32(closed.process(), "process");
            out.choice(closed.stream());
        } else if (frame instanceof Exited exited) {
            out.u8(EXITED, "type").u32(exited.process(), "process").u8(exited.exitCode(), "exit code");
        } else if (frame instanceof Signaled signaled) {
            out.u8(SIGNALED, "type")
                    .u32(signaled.process(), "process")
                    .u8(NodeFrames.signal(signaled.signal()), "signal");
        } else if (frame instanceof StdinCredit credit) {
            out.u8(STDIN_CREDIT, "type").u32(credit.process(), "process").u32(credit.bytes(), "credit");
        } else if (frame instanceof Done done) {
            out.u8(DONE, "type").u32(done.request(), "request").u32(done.errno(), "errno");
        } else if (frame instanceof AllGone) {
            out.u8(ALL_GONE, "type");
        } else if (frame instanceof Use use) {
            out.u8(USE, "type").text(use.limit().name(), "limit");
            out.u64(use.amount(), "amount").choice(use.pressure());
        } else if (frame instanceof Pong pong) {
            out.u8(PONG, "type").u32(pong.request(), "request");
        } else if (frame instanceof FolderListed listed) {
            writeFolderListed(listed, out);
        } else if (frame instanceof FileRead read) {
            out.u8(FILE_READ, "type").u32(read.request(), "request").u32(read.errno(), "errno");
            out.u32(read.mode(), "mode").u64(read.size(), "size").bytes(data(read.data()));
        }
    }

    private static FolderListed readFolderListed(FrameReader in) {
        int request = in.u32();
        int errno = in.u32();
        boolean more = in.flag();
        long place = in.u64();
        List<Entry> entries = new ArrayList<>();
        while (in.hasMore()) {
            entries.add(new Entry(in.choice(KINDS), name(in.bytes(in.u8()))));
        }
        return new FolderListed(request, errno, more ? OptionalLong.of(place) : OptionalLong.empty(), entries);
    }

    private static void writeFolderListed(FolderListed listed, FrameWriter out) {
        out.u8(FOLDER_LISTED, "type").u32(listed.request(), "request").u32(listed.errno(), "errno");
        out.u8(listed.place().isPresent() ? 1 : 0, "more").u64(listed.place().orElse(0), "place");
        listed.entries().forEach(entry -> out.choice(entry.kind())
                .u8(name(entry.name()).length(), "length of a name")
                .bytes(entry.name()));
    }

    /** A single name in a folder, not a path. */
    private static Blob name(Blob name) {
        byte[] bytes = name.toByteArray();
        boolean isPart = bytes.length > 0 && bytes.length <= Entry.NAME_BYTES_MAX && !isDots(bytes);
        for (byte one : bytes) {
            isPart &= one != 0 && one != '/';
        }
        if (!isPart) {
            throw new MalformedFrameException("A frame carries a name of a file that no folder can have.");
        }
        return name;
    }

    private static boolean isDots(byte[] name) {
        return name[0] == '.' && (name.length == 1 || (name.length == 2 && name[1] == '.'));
    }

    private static Blob data(Blob data) {
        if (data.length() > GuestCodec.READ_LIMIT_BYTES) {
            throw new MalformedFrameException("A frame carries " + data.length() + " bytes of a file; 0 to "
                    + GuestCodec.READ_LIMIT_BYTES + " are allowed.");
        }
        return data;
    }

    private static Limit<?> limit(String name) {
        return Limit.named(name)
                .orElseThrow(() -> new MalformedFrameException("A frame names a limit that the node does not know."));
    }

    private static Blob output(Blob data) {
        if (data.length() < 1 || data.length() > GuestCodec.OUTPUT_LIMIT_BYTES) {
            throw new MalformedFrameException("An output frame has " + data.length() + " bytes; 1 to "
                    + GuestCodec.OUTPUT_LIMIT_BYTES + " are allowed.");
        }
        return data;
    }
}
