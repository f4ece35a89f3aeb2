package dev.vivarium.node.guest;

import static dev.vivarium.node.guest.TestGuest.AGENT;
import static dev.vivarium.node.guest.TestGuest.sh;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.guest.GuestCodec;
import dev.vivarium.protocol.guest.GuestFrame.Done;
import dev.vivarium.protocol.guest.GuestFrame.Entry;
import dev.vivarium.protocol.guest.GuestFrame.EntryKind;
import dev.vivarium.protocol.guest.GuestFrame.Exited;
import dev.vivarium.protocol.guest.GuestFrame.FileRead;
import dev.vivarium.protocol.guest.GuestFrame.FolderListed;
import dev.vivarium.protocol.guest.GuestFrame.Pressure;
import dev.vivarium.protocol.guest.GuestFrame.Use;
import dev.vivarium.protocol.guest.NodeFrame.LinkKind;
import dev.vivarium.protocol.guest.NodeFrame.ListFolder;
import dev.vivarium.protocol.guest.NodeFrame.MakeFolder;
import dev.vivarium.protocol.guest.NodeFrame.MakeLink;
import dev.vivarium.protocol.guest.NodeFrame.ReadFile;
import dev.vivarium.protocol.guest.NodeFrame.Stdin;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import dev.vivarium.protocol.guest.NodeFrame.WriteFile;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Limit;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** File requests, and reports of disk usage. */
class GuestFilesTest {
    private static final int ENOENT = 2;
    private static final int ENXIO = 6;
    private static final int EACCES = 13;
    private static final int EXDEV = 18;
    private static final int ENOTDIR = 20;
    private static final int EISDIR = 21;
    private static final int EINVAL = 22;
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
    void aFileWrittenInManyPartsIsComplete() {
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
    void aLaterPartOfAMissingFileIsRefused() {
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
    void aLinkInThePathIsNotFollowedEither() {
        guest.run(1, "ln -s /tmp link; mkdir real; ln -s /tmp real/link");

        assertThat(write("/workspace/link/f", 0644, 0, Blob.ofUtf8("x"))).isEqualTo(ENOTDIR);
        assertThat(write("/workspace/real/link/new/f", 0644, 0, Blob.ofUtf8("x")))
                .isEqualTo(ENOTDIR);
        assertThat(guest.run(2, "ls /tmp")).isEmpty();
    }

    @Test
    void swappingDirectoriesAndLinksDoesNotRedirectAWrite() {
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
        "/workspace/.., 22",
        "/workspace//f, 2",
    })
    void pathsOutsideTheAgentsFoldersAreRefusedWithTheReason(String path, int errno) {
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
    void aPipeInPlaceOfAFileNeverBlocksTheGuest() {
        guest.run(1, "mkfifo lonely");
        assertThat(write("/workspace/lonely", 0644, 0, Blob.ofUtf8("x"))).isNotZero();

        guest.send(sh(2, "mkfifo heard; exec 3<>heard; echo ready; sleep 1000"));
        guest.awaitText(2, "ready");
        assertThat(write("/workspace/heard", 0644, 0, Blob.of(new byte[MEBIBYTE / 2])))
                .isEqualTo(EACCES);
    }

    @Test
    void aFullDiskIsReported() {
        byte[] part = new byte[GuestCodec.FILE_PART_BYTES];
        int error = 0;
        for (long offset = 0; error == 0 && offset < 8 * MEBIBYTE; offset += part.length) {
            error = write("/workspace/filler", 0644, offset, Blob.of(part));
        }

        assertThat(error).isEqualTo(ENOSPC);
    }

    @Test
    void theTotalUsageOfBothFoldersIsReportedWhenItChanges() {
        guest.send(sh(
                1,
                "read a; head -c 1048576 /dev/zero > f; read b; head -c 1048576 /dev/zero > /tmp/f; read c;"
                        + " rm f /tmp/f; sleep 1000"));
        guest.await(Use.class, use -> use.equals(new Use(Limit.DISK, 0, Pressure.NONE)));
        guest.await(Use.class, use -> use.equals(new Use(Limit.FILES, 0, Pressure.NONE)));

        type("a");
        guest.await(Use.class, use -> use.equals(new Use(Limit.DISK, MEBIBYTE, Pressure.NONE)));
        type("b");
        guest.await(Use.class, use -> use.equals(new Use(Limit.DISK, 2 * MEBIBYTE, Pressure.NONE)));
        type("c");
        guest.await(Use.class, use -> use.equals(new Use(Limit.DISK, 0, Pressure.NONE)));
    }

    @Test
    void aFolderWithoutFreeBlocksIsUnderPressure() {
        guest.send(sh(1, "head -c 9999999 /dev/zero > f; sleep 1000"));

        assertThat(guest.await(Use.class, GuestFilesTest::isFullDisk).amount()).isEqualTo(4 * MEBIBYTE);
    }

    @Test
    void foldersThatReachTheLimitTogetherAreUnderPressureToo() {
        guest.send(sh(1, "head -c 2097152 /dev/zero | tee /tmp/f > f; sleep 1000"));

        assertThat(guest.await(Use.class, GuestFilesTest::isFullDisk).amount()).isEqualTo(4 * MEBIBYTE);
    }

    @Test
    void usageIsReportedBeforeTheEndOfAProcessThatFillsTheDisk() {
        guest.send(sh(1, "head -c 9999999 /dev/zero > f"));
        guest.await(Exited.class);

        assertThat(guest.give(Use.class, GuestFilesTest::isFullDisk)).isPresent();
    }

    @Test
    void aFolderWithoutFreeInodesIsUnderPressure() {
        try (TestGuest narrow = TestGuest.start("4m,nr_inodes=20")) {
            narrow.send(sh(1, "for i in $(seq 50); do : > $i || break; done; sleep 1000"));

            assertThat(narrow.await(Use.class, use -> use.pressure() == Pressure.FULL))
                    .isEqualTo(new Use(Limit.FILES, 19, Pressure.FULL));
        }
    }

    @Test
    void existingFilesFoldersAndLinksOfBothFoldersAreCounted() {
        guest.send(sh(
                1, "mkdir -p a/b; : > a/b/c; ln -s c a/b/d; ln a/b/c a/b/e; : > /tmp/f; read x; rm -r a; sleep 1000"));

        guest.await(Use.class, use -> use.equals(new Use(Limit.FILES, 6, Pressure.NONE)));
        type("x");
        guest.await(Use.class, use -> use.equals(new Use(Limit.FILES, 1, Pressure.NONE)));
    }

    @Test
    void foldersAreWalkedWhereTheFileSystemDoesNotCountFiles() {
        try (TestGuest unlimited = TestGuest.start("4m,nr_inodes=0")) {
            unlimited.send(sh(
                    1,
                    "for i in $(seq 400); do mkdir -p $i/x; done; : > 7/x/f; : > /tmp/f; mkdir -m 0 closed;"
                            + " sleep 1000"));

            unlimited.await(Use.class, use -> use.equals(new Use(Limit.FILES, 803, Pressure.NONE)));
        }
    }

    @Test
    void aReadOnlyFileCanBeWrittenInPartsToo() {
        Blob part = Blob.of(new byte[GuestCodec.FILE_PART_BYTES]);

        assertThat(write("/workspace/f", 0644, 0, part)).isZero();
        assertThat(write("/workspace/f", 0400, GuestCodec.FILE_PART_BYTES, part))
                .isZero();
        assertThat(write("/workspace/f", 0400, 2 * GuestCodec.FILE_PART_BYTES, part))
                .isEqualTo(EACCES);
        assertThat(guest.run(1, "stat -c '%a %s' f")).isEqualTo("400 1048576");
    }

    @Test
    void aFolderHasItsModeAndItsOwnerAndKeepsItsContents() {
        assertThat(makeFolder("/workspace/a/empty", 0750)).isZero();
        assertThat(write("/workspace/a/empty/f", 0644, 0, Blob.EMPTY)).isZero();
        assertThat(makeFolder("/workspace/a/empty", 0500)).isZero();

        assertThat(guest.run(1, "stat -c '%n %a %u' a a/empty a/empty/f"))
                .isEqualTo("a 755 65534\na/empty 500 65534\na/empty/f 644 65534");
    }

    @Test
    void aFolderIsNotMadeInPlaceOfAnythingElseNorThroughALink() {
        guest.run(1, "echo kept > file; mkdir /tmp/other; ln -s /tmp/other link");

        assertThat(makeFolder("/workspace/file", 0777)).isEqualTo(ENOTDIR);
        assertThat(makeFolder("/workspace/link", 0777)).isIn(ELOOP, ENOTDIR);
        assertThat(makeFolder("/workspace/link/below", 0777)).isEqualTo(ENOTDIR);
        assertThat(makeFolder("/workspace/..", 0777)).isEqualTo(EINVAL);
        assertThat(guest.run(2, "stat -c %a file /tmp/other; ls /tmp/other")).isEqualTo("644\n755");
    }

    @Test
    void linksReplaceLinksAndFilesButNoFolders() {
        write("/workspace/a/f", 0644, 0, Blob.ofUtf8("content"));
        write("/workspace/l", 0644, 0, Blob.ofUtf8("in the way"));

        assertThat(link("/workspace/l", LinkKind.SYMBOLIC, "a/f")).isZero();
        assertThat(link("/workspace/l", LinkKind.SYMBOLIC, "a/f")).isZero();
        assertThat(link("/workspace/new/h", LinkKind.HARD, "/workspace/a/f")).isZero();
        assertThat(link("/workspace/a", LinkKind.SYMBOLIC, "l")).isEqualTo(EISDIR);
        assertThat(guest.run(1, "cat l new/h; readlink l; stat -c %h a/f")).isEqualTo("contentcontenta/f\n2");
    }

    @Test
    void linksAreNotFollowedWhenLinksAreCreated() {
        guest.run(1, "mkdir /tmp/other; echo secret > /tmp/other/f; ln -s /tmp/other away");

        assertThat(link("/workspace/away/l", LinkKind.SYMBOLIC, "x")).isEqualTo(ENOTDIR);
        assertThat(link("/workspace/h", LinkKind.HARD, "/workspace/away/f")).isEqualTo(ENOTDIR);
        assertThat(link("/workspace/h", LinkKind.HARD, "/workspace/../tmp/other/f"))
                .isEqualTo(EINVAL);
        assertThat(link("/workspace/h", LinkKind.HARD, "relative")).isEqualTo(EINVAL);
        assertThat(link("/workspace/h", LinkKind.HARD, "/workspace/none")).isEqualTo(ENOENT);
        assertThat(link("/workspace/h", LinkKind.HARD, "/tmp/other/f")).isEqualTo(EXDEV);
        assertThat(guest.run(2, "ls; ls /tmp/other")).isEqualTo("away\nf");
    }

    @Test
    void aFolderIsListedWithTheKindsOfItsEntries() {
        guest.run(1, "mkdir d; : > f; ln -s f l; mkfifo p; : > $(printf 'b\\377')");

        FolderListed listed = list("/workspace", 0);

        assertThat(listed.errno()).isZero();
        assertThat(listed.entries())
                .containsExactlyInAnyOrder(
                        new Entry(EntryKind.FOLDER, Blob.ofUtf8("d")),
                        new Entry(EntryKind.FILE, Blob.ofUtf8("f")),
                        new Entry(EntryKind.LINK, Blob.ofUtf8("l")),
                        new Entry(EntryKind.OTHER, Blob.ofUtf8("p")),
                        new Entry(EntryKind.FILE, Blob.of(new byte[] {'b', (byte) 0xff})));
        assertThat(list("/workspace/d", 0).entries()).isEmpty();
    }

    @Test
    void aLargeFolderIsListedInParts() {
        guest.run(1, "for i in $(seq 3000); do : > a-long-name-of-a-file-$i; done");

        Set<Blob> names = new HashSet<>();
        OptionalLong place = OptionalLong.of(0);
        int parts = 0;
        while (place.isPresent()) {
            FolderListed part = list("/workspace", place.getAsLong());
            part.entries().forEach(entry -> assertThat(names.add(entry.name())).isTrue());
            place = part.place();
            parts++;
        }

        assertThat(names).hasSize(3000);
        assertThat(parts).isBetween(3, 20);
    }

    @Test
    void onlyFoldersOfTheAgentAreListedAndNotThroughLinks() {
        guest.run(1, "mkdir -m 0 closed; ln -s /etc link; : > f");

        assertThat(list("/workspace/closed", 0).errno()).isEqualTo(EACCES);
        assertThat(list("/workspace/link", 0).errno()).isEqualTo(ENOTDIR);
        assertThat(list("/workspace/link/ssl", 0).errno()).isEqualTo(ENOTDIR);
        assertThat(list("/workspace/f", 0).errno()).isEqualTo(ENOTDIR);
        assertThat(list("/workspace/none", 0).errno()).isEqualTo(ENOENT);
        assertThat(list("/workspace/..", 0).errno()).isEqualTo(EINVAL);
        assertThat(list("relative", 0).errno()).isEqualTo(EINVAL);
    }

    @Test
    void aFileIsReadInPartsWithItsModeAndItsSize() {
        guest.run(1, "printf 0123456789 > f; chmod 4750 f");

        assertThat(read("/workspace/f", 0, 4)).isEqualTo(new FileRead(requests, 0, 04750, 10, Blob.ofUtf8("0123")));
        assertThat(read("/workspace/f", 8, 100).data()).isEqualTo(Blob.ofUtf8("89"));
        assertThat(read("/workspace/f", 10, 100)).isEqualTo(new FileRead(requests, 0, 04750, 10, Blob.EMPTY));
    }

    @Test
    void onlyRegularFilesOfTheAgentAreRead() {
        guest.run(1, "echo x > f; ln -s f link; mkdir d; mkfifo p; echo x > closed; chmod 0 closed; ln -s /tmp away");

        assertThat(read("/workspace/link", 0, 9).errno()).isEqualTo(ELOOP);
        assertThat(read("/workspace/away/x", 0, 9).errno()).isEqualTo(ENOTDIR);
        assertThat(read("/workspace/d", 0, 9).errno()).isEqualTo(EISDIR);
        assertThat(read("/workspace/p", 0, 9).errno()).isEqualTo(ENXIO);
        assertThat(read("/workspace/closed", 0, 9).errno()).isEqualTo(EACCES);
        assertThat(read("/proc/self/status", 0, 9).errno()).isEqualTo(ENOTDIR);
        assertThat(read("/proc/meminfo", 0, 9).errno()).isEqualTo(ENXIO);
        assertThat(read("/dev/zero", 0, 9).errno()).isEqualTo(ENXIO);
        assertThat(read("/workspace/../etc/passwd", 0, 9).errno()).isEqualTo(EINVAL);
    }

    @Test
    void manyReadRequestsAreAnsweredAlongsideOutput() {
        byte[] content = new byte[3 * MEBIBYTE];
        new Random(5).nextBytes(content);
        int part = GuestCodec.FILE_PART_BYTES;
        for (int offset = 0; offset < content.length; offset += part) {
            write("/workspace/big", 0644, offset, Blob.of(Arrays.copyOfRange(content, offset, offset + part)));
        }
        guest.send(new SpawnBuilder(1, "cat", "big").build());
        int first = requests + 1;
        for (int offset = 0; offset < content.length; offset += GuestCodec.READ_LIMIT_BYTES) {
            guest.send(new ReadFile(++requests, "/workspace/big", offset, GuestCodec.READ_LIMIT_BYTES, AGENT, AGENT));
        }

        ByteArrayOutputStream read = new ByteArrayOutputStream();
        for (int request = first; request <= requests; request++) {
            int asked = request;
            read.writeBytes(guest.await(FileRead.class, answer -> answer.request() == asked)
                    .data()
                    .toByteArray());
        }
        assertThat(read.toByteArray()).isEqualTo(content);
        guest.stdoutOf(1);
        assertThat(guest.output(1, Stream.STDOUT)).isEqualTo(content);
    }

    private FolderListed list(String path, long place) {
        int request = ++requests;
        guest.send(new ListFolder(request, path, place, AGENT, AGENT));
        return guest.await(FolderListed.class, listed -> listed.request() == request);
    }

    private FileRead read(String path, long offset, int bytes) {
        int request = ++requests;
        guest.send(new ReadFile(request, path, offset, bytes, AGENT, AGENT));
        return guest.await(FileRead.class, read -> read.request() == request);
    }

    private static boolean isFullDisk(Use use) {
        return use.limit() == Limit.DISK && use.pressure() == Pressure.FULL;
    }

    private void type(String line) {
        guest.send(new Stdin(1, Blob.ofUtf8(line + "\n")));
    }

    private int makeFolder(String path, int mode) {
        int request = ++requests;
        guest.send(new MakeFolder(request, path, mode, AGENT, AGENT));
        return guest.await(Done.class, done -> done.request() == request).errno();
    }

    private int link(String path, LinkKind kind, String target) {
        int request = ++requests;
        guest.send(new MakeLink(request, path, kind, target, AGENT, AGENT));
        return guest.await(Done.class, done -> done.request() == request).errno();
    }

    private int write(String path, int mode, long offset, Blob data) {
        int request = ++requests;
        guest.send(new WriteFile(request, path, mode, AGENT, AGENT, offset, data));
        return guest.await(Done.class, done -> done.request() == request).errno();
    }
}
