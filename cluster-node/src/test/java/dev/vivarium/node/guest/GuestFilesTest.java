package dev.vivarium.node.guest;

import static dev.vivarium.node.guest.TestGuest.AGENT;
import static dev.vivarium.node.guest.TestGuest.sh;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.guest.GuestCodec;
import dev.vivarium.protocol.guest.GuestFrame.Disk;
import dev.vivarium.protocol.guest.GuestFrame.Done;
import dev.vivarium.protocol.guest.GuestFrame.Exited;
import dev.vivarium.protocol.guest.GuestFrame.Pressure;
import dev.vivarium.protocol.guest.NodeFrame.Stdin;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import dev.vivarium.protocol.guest.NodeFrame.WriteFile;
import dev.vivarium.protocol.run.Blob;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** File requests, and what is told of the disk. */
class GuestFilesTest {
    private static final int ENOENT = 2;
    private static final int EACCES = 13;
    private static final int ENOTDIR = 20;
    private static final int ENOSPC = 28;
    private static final int ELOOP = 40;
    private static final int MEBIBYTE = 1 << 20;

    private final TestGuest guest = TestGuest.start("4m");
    private int requests;

    @AfterEach
    void end() {
        guest.close();
    }

    @Test
    void aFileHasItsContentItsModeAndItsOwner() {
        assertThat(write("/workspace/a b.txt", 0640, 0, Blob.ofUtf8("content"))).isZero();

        assertThat(guest.run(1, "stat -c '%a %u %g' 'a b.txt'; cat 'a b.txt'")).isEqualTo("640 65534 65534\ncontent");
    }

    @Test
    void parentDirectoriesAreMadeForTheSameOwner() {
        assertThat(write("/workspace/a/b/c", 0600, 0, Blob.EMPTY)).isZero();

        assertThat(guest.run(1, "stat -c '%n %a %u %g %s' a a/b a/b/c | cut -d' ' -f1-4; stat -c %s a/b/c"))
                .isEqualTo("a 755 65534 65534\na/b 755 65534 65534\na/b/c 600 65534 65534\n0");
    }

    @Test
    void aFileOfManyPartsIsWhole() {
        byte[] content = new byte[3 * MEBIBYTE];
        new Random(3).nextBytes(content);
        int part = GuestCodec.FILE_PART_BYTES;
        for (int offset = 0; offset < content.length; offset += part) {
            Blob data = Blob.of(Arrays.copyOfRange(content, offset, Math.min(offset + part, content.length)));
            assertThat(write("/workspace/big", 0644, offset, data)).isZero();
        }

        guest.send(new SpawnBuilder(1, "cat", "big").build());
        guest.stdoutOf(1);
        assertThat(guest.output(1, Stream.STDOUT)).isEqualTo(content);
    }

    @Test
    void theFirstPartTruncatesAndSetsTheMode() {
        write("/workspace/f", 0644, 0, Blob.ofUtf8("long content"));

        assertThat(write("/workspace/f", 0755, 0, Blob.ofUtf8("short"))).isZero();
        assertThat(guest.run(1, "stat -c %a f; cat f")).isEqualTo("755\nshort");
    }

    @Test
    void aLaterPartOfNoFileIsRefused() {
        assertThat(write("/workspace/none", 0644, 5, Blob.ofUtf8("x"))).isEqualTo(ENOENT);
    }

    @Test
    void aSymbolicLinkIsNotFollowed() {
        guest.run(1, "echo kept > target; ln -s target link; ln -s /nowhere dangling");

        assertThat(write("/workspace/link", 0644, 0, Blob.ofUtf8("x"))).isEqualTo(ELOOP);
        assertThat(write("/workspace/dangling", 0644, 0, Blob.ofUtf8("x"))).isEqualTo(ELOOP);
        assertThat(guest.run(2, "cat target")).isEqualTo("kept");
    }

    @Test
    void aLinkOnTheWayIsNotFollowedEither() {
        guest.run(1, "ln -s /tmp link; mkdir real; ln -s /tmp real/link");

        assertThat(write("/workspace/link/f", 0644, 0, Blob.ofUtf8("x"))).isEqualTo(ENOTDIR);
        assertThat(write("/workspace/real/link/new/f", 0644, 0, Blob.ofUtf8("x")))
                .isEqualTo(ENOTDIR);
        assertThat(guest.run(2, "ls /tmp")).isEmpty();
    }

    @Test
    void anAgentThatSwapsDirectoriesAndLinksMeanwhileLeadsNowhere() {
        guest.send(sh(
                1,
                "mkdir a /tmp/trap; ln -s /tmp/trap l; echo ready;"
                        + " while :; do mv -T a b; mv -T l a; mv -T a l; mv -T b a; done 2>/dev/null"));
        guest.awaitText(1, "ready");
        for (int file = 0; file < 300; file++) {
            write("/workspace/a/f" + file, 0644, 0, Blob.ofUtf8("x"));
        }

        assertThat(guest.run(2, "ls /tmp/trap")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "relative, 22",
        "'', 22",
        "/, 21",
        "/workspace, 21",
        "/init, 30",
        "/new/file, 30",
        "/etc/passwd, 13",
        "/etc/passwd/x, 20",
        "/dev/null, 13",
        "/proc/1/attr/current, 13",
        "/proc/1/comm, 13",
        "/proc/1/mem, 13",
        "/proc/1/fd/1, 40",
        "/proc/self/comm, 20",
        "/workspace/../tmp/f, 22",
        "/workspace/none/../f, 22",
        "/workspace/.., 21",
        "/workspace//f, 2",
    })
    void placesThatAreNotTheAgentsAreRefusedWithTheirReason(String path, int errno) {
        assertThat(write(path, 0644, 0, Blob.ofUtf8("x"))).isEqualTo(errno);
    }

    @Test
    void aFileIsWrittenWithTheRightsOfItsOwner() {
        guest.run(1, "mkdir -m 700 mine");
        guest.send(new WriteFile(70, "/workspace/mine/x", 0644, AGENT - 1, AGENT, 0, Blob.ofUtf8("x")));
        assertThat(guest.await(Done.class)).isEqualTo(new Done(70, EACCES));

        guest.send(new WriteFile(71, "/workspace/roots", 0600, 0, 0, 0, Blob.ofUtf8("x")));
        assertThat(guest.await(Done.class)).isEqualTo(new Done(71, 0));
        assertThat(guest.run(2, "stat -c '%u %g' roots")).isEqualTo("0 0");
    }

    @Test
    void aPipeInThePlaceOfAFileNeverBlocksTheGuest() {
        guest.run(1, "mkfifo lonely");
        assertThat(write("/workspace/lonely", 0644, 0, Blob.ofUtf8("x"))).isNotZero();

        guest.send(sh(2, "mkfifo heard; exec 3<>heard; echo ready; sleep 1000"));
        guest.awaitText(2, "ready");
        assertThat(write("/workspace/heard", 0644, 0, Blob.of(new byte[MEBIBYTE / 2])))
                .isEqualTo(EACCES);
    }

    @Test
    void aFullDiskIsTold() {
        byte[] part = new byte[GuestCodec.FILE_PART_BYTES];
        int error = 0;
        for (long offset = 0; error == 0 && offset < 8 * MEBIBYTE; offset += part.length) {
            error = write("/workspace/filler", 0644, offset, Blob.of(part));
        }

        assertThat(error).isEqualTo(ENOSPC);
    }

    @Test
    void theUseOfBothPlacesIsToldInSumWhenItChanges() {
        guest.send(sh(
                1,
                "read a; head -c 1048576 /dev/zero > f; read b; head -c 1048576 /dev/zero > /tmp/f; read c;"
                        + " rm f /tmp/f; sleep 1000"));
        assertThat(guest.await(Disk.class)).isEqualTo(new Disk(0, 4 * MEBIBYTE, 0, Pressure.NONE));

        type("a");
        guest.await(Disk.class, disk -> disk.usedBytes() == MEBIBYTE && disk.pressure() == Pressure.NONE);
        type("b");
        guest.await(Disk.class, disk -> disk.usedBytes() == 2 * MEBIBYTE && disk.limitBytes() == 4 * MEBIBYTE);
        type("c");
        guest.await(Disk.class, disk -> disk.usedBytes() == 0);
    }

    @Test
    void aPlaceWithoutAFreeBlockIsUnderPressure() {
        guest.send(sh(1, "head -c 9999999 /dev/zero > f; sleep 1000"));

        assertThat(guest.await(Disk.class, disk -> disk.pressure() == Pressure.FULL)
                        .usedBytes())
                .isEqualTo(4 * MEBIBYTE);
    }

    @Test
    void placesThatHoldTheLimitOnlyTogetherAreUnderPressureToo() {
        guest.send(sh(1, "head -c 2097152 /dev/zero | tee /tmp/f > f; sleep 1000"));

        assertThat(guest.await(Disk.class, disk -> disk.pressure() == Pressure.FULL)
                        .usedBytes())
                .isEqualTo(4 * MEBIBYTE);
    }

    @Test
    void aFillerThatEndsAtOnceIsSeenBeforeItsEndIsTold() {
        guest.send(sh(1, "head -c 9999999 /dev/zero > f"));
        guest.await(Exited.class);

        assertThat(guest.give(Disk.class, disk -> disk.pressure() == Pressure.FULL))
                .isPresent();
    }

    @Test
    void aPlaceWithoutAFreeInodeIsUnderPressure() {
        try (TestGuest narrow = TestGuest.start("4m,nr_inodes=20")) {
            narrow.send(sh(1, "for i in $(seq 50); do : > $i || break; done; sleep 1000"));

            assertThat(narrow.await(Disk.class, disk -> disk.pressure() == Pressure.FULL)
                            .usedBytes())
                    .isLessThan(MEBIBYTE);
        }
    }

    @Test
    void filesFoldersAndLinksOfBothPlacesAreCountedAndGoneOnesAreNot() {
        guest.send(sh(
                1, "mkdir -p a/b; : > a/b/c; ln -s c a/b/d; ln a/b/c a/b/e; : > /tmp/f; read x; rm -r a; sleep 1000"));

        guest.await(Disk.class, disk -> disk.files() == 6);
        type("x");
        guest.await(Disk.class, disk -> disk.files() == 1);
    }

    @Test
    void whereNoFilesAreCountedTheFoldersAreWalked() {
        try (TestGuest unlimited = TestGuest.start("4m,nr_inodes=0")) {
            unlimited.send(
                    sh(
                            1,
                            "for i in $(seq 400); do mkdir -p $i/x; done; : > 7/x/f; : > /tmp/f; mkdir -m 0 closed; sleep 1000"));

            unlimited.await(Disk.class, disk -> disk.files() == 803);
        }
    }

    private void type(String line) {
        guest.send(new Stdin(1, Blob.ofUtf8(line + "\n")));
    }

    private int write(String path, int mode, long offset, Blob data) {
        int request = ++requests;
        guest.send(new WriteFile(request, path, mode, AGENT, AGENT, offset, data));
        return guest.await(Done.class, done -> done.request() == request).errno();
    }
}
