package dev.vivarium.protocol.guest;

import dev.vivarium.protocol.guest.GuestFrame.AllGone;
import dev.vivarium.protocol.guest.GuestFrame.Disk;
import dev.vivarium.protocol.guest.GuestFrame.Done;
import dev.vivarium.protocol.guest.GuestFrame.Exited;
import dev.vivarium.protocol.guest.GuestFrame.Hello;
import dev.vivarium.protocol.guest.GuestFrame.Output;
import dev.vivarium.protocol.guest.GuestFrame.OutputClosed;
import dev.vivarium.protocol.guest.GuestFrame.Pids;
import dev.vivarium.protocol.guest.GuestFrame.Pong;
import dev.vivarium.protocol.guest.GuestFrame.Pressure;
import dev.vivarium.protocol.guest.GuestFrame.Signaled;
import dev.vivarium.protocol.guest.GuestFrame.SpawnFailed;
import dev.vivarium.protocol.guest.GuestFrame.Spawned;
import dev.vivarium.protocol.guest.GuestFrame.Stage;
import dev.vivarium.protocol.guest.GuestFrame.StdinCredit;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import dev.vivarium.protocol.run.Blob;

/** The frames from the guest, field by field. */
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
    private static final int DISK = 0x8b;
    private static final int PONG = 0x8c;
    private static final int PIDS = 0x8d;

    // values() copies its array at each call, and Output comes often.
    private static final Stream[] STREAMS = Stream.values();

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
            case DISK -> new Disk(in.u64(), in.u64(), in.u64(), in.choice(Pressure.values()));
            case PONG -> new Pong(in.u32());
            case PIDS -> new Pids(in.u32());
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
        } else if (frame instanceof Disk disk) {
            out.u8(DISK, "type").u64(disk.usedBytes(), "bytes in use").u64(disk.limitBytes(), "limit");
            out.u64(disk.files(), "files").choice(disk.pressure());
        } else if (frame instanceof Pong pong) {
            out.u8(PONG, "type").u32(pong.request(), "request");
        } else if (frame instanceof Pids pids) {
            out.u8(PIDS, "type").u32(pids.count(), "count");
        }
    }

    private static Blob output(Blob data) {
        if (data.length() < 1 || data.length() > GuestCodec.OUTPUT_LIMIT_BYTES) {
            throw new MalformedFrameException("A piece of output has " + data.length() + " bytes; 1 to "
                    + GuestCodec.OUTPUT_LIMIT_BYTES + " are allowed.");
        }
        return data;
    }
}
