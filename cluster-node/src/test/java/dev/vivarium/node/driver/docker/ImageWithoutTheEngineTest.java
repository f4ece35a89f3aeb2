package dev.vivarium.node.driver.docker;

import static dev.vivarium.node.driver.docker.TestSandboxes.failure;
import static dev.vivarium.node.driver.docker.TestSandboxes.newId;
import static dev.vivarium.node.driver.docker.TestSandboxes.outcome;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.RecordingListener;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.oci.OciDriverConfig;
import dev.vivarium.node.driver.oci.OciSupport;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Isolation;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images as the engine delivers them, and what happens to them while sandboxes of them live. */
@EachIsolation
class ImageWithoutTheEngineTest {
    /** Where each sandbox has folders or files of its own. */
    private static final String[] PLACES = {"dev", "proc", "sys", "tmp", "etc", "workspace", ".vivarium"};

    private final Isolation isolation;
    private final String image = "vivarium-test/oci-" + newId();
    private final ExecutorService blocking = Executors.newCachedThreadPool();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private TarArchiveOutputStream archive;

    @TempDir
    private Path content;

    private DockerDriverConfig engine;
    private SandboxDriver driver;

    ImageWithoutTheEngineTest(Isolation isolation) {
        this.isolation = isolation;
    }

    @BeforeEach
    void open() throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "Only root can run OCI runtimes.");
        engine = TestSandboxes.config("test-" + newId(), "node-1");
        OciDriverConfig config = OciDriverConfig.from(
                ConfigFactory.parseString("folder = \"" + content + "/vivarium\"")
                        .withFallback(ConfigFactory.parseResources("oci-driver.conf")),
                engine);
        OciSupport support = OciSupport.open(config, blocking, NodeClock.system());
        assertThat(support).isInstanceOf(OciSupport.Works.class);
        driver = ((OciSupport.Works) support).driver();
        EachIsolation.Here.assume(isolation, driver.capabilities().isolations());
        begin();
    }

    private void begin() {
        bytes.reset();
        archive = new TarArchiveOutputStream(bytes, "ISO-8859-1");
    }

    @AfterEach
    void close() {
        driver.close();
        blocking.shutdownNow();
        if (!Docker.run("images", "-q", image).isEmpty()) {
            Docker.run("rmi", "-f", image);
        }
    }

    // ---- what is in an image

    @Test
    void anImageWithLinksWhereASandboxHasItsOwnFolders() throws IOException {
        for (String place : PLACES) {
            put(link(place, TarConstants.LF_SYMLINK, place.equals("etc") ? "/" : "/etc"), "");
        }
        importImage();

        assertHasItsOwnFolders();
    }

    @Test
    void anImageWithFilesWhereASandboxHasItsOwnFolders() throws IOException {
        for (String place : PLACES) {
            put(new TarArchiveEntry(place), "a file of the image");
        }
        importImage();

        assertHasItsOwnFolders();
    }

    @Test
    void anImageWithLinksBelowItsFolders() throws IOException {
        put(new TarArchiveEntry("etc/"), "");
        for (String file : new String[] {"etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/passwd", "etc/group"}) {
            put(link(file, TarConstants.LF_SYMLINK, "/proc/self/environ"), "");
        }
        put(new TarArchiveEntry("dev/"), "");
        put(link("dev/shm", TarConstants.LF_SYMLINK, "/etc"), "");
        put(link("dev/null", TarConstants.LF_SYMLINK, "/etc/hosts"), "");
        put(new TarArchiveEntry(".vivarium/"), "");
        put(link(".vivarium/vivarium-init", TarConstants.LF_SYMLINK, "/workspace/mine"), "");
        importImage();

        assertHasItsOwnFolders();
    }

    private void assertHasItsOwnFolders() throws IOException {
        RecordingListener heard = new RecordingListener();
        SandboxHandle made = create(heard);
        int agent = made.id().agentUid();
        for (String folder : new String[] {"/workspace", "/tmp", "/dev/shm"}) {
            made.channel()
                    .send(new NodeFrame.WriteFile(1, folder + "/mine", 0644, agent, agent, 0, Blob.ofUtf8("mine")));
        }
        heard.await(GuestFrame.Done.class);

        if (isolation == Isolation.CONTAINER) {
            Path root = root(made);
            assertThat(heard.frames().stream().filter(GuestFrame.Done.class::isInstance))
                    .allSatisfy(
                            done -> assertThat(((GuestFrame.Done) done).errno()).isZero());
            for (String place : PLACES) {
                assertThat(Files.isDirectory(root.resolve(place), LinkOption.NOFOLLOW_LINKS))
                        .as(place)
                        .isTrue();
            }
            assertThat(root.resolve("workspace/mine")).hasContent("mine");
            assertThat(root.resolve("dev/null"))
                    .satisfies(device -> assertThat(Files.readAttributes(device, "unix:mode", LinkOption.NOFOLLOW_LINKS)
                                    .get("mode"))
                            .isEqualTo(0020666));
            assertThat(root.resolve("etc/hostname")).hasContent("sandbox");
            assertThat(root.resolve(".vivarium/vivarium-init")).isExecutable();
        }
        outcome(driver.destroy(made.id()));
    }

    @Test
    void ownersModesAndLinksAreTheImagesAndDevicesAreLeftOut() throws IOException {
        TarArchiveEntry su = new TarArchiveEntry("su");
        su.setMode(04755);
        su.setUserId(4711);
        put(su, "a program");
        TarArchiveEntry again = link("again", TarConstants.LF_LINK, "su");
        again.setMode(04755);
        again.setUserId(4711);
        put(again, "");
        put(link("soft", TarConstants.LF_SYMLINK, "su"), "");
        put(link("soft-again", TarConstants.LF_LINK, "soft"), "");
        TarArchiveEntry disk = link("disk", TarConstants.LF_BLK, "");
        disk.setDevMajor(254);
        put(disk, "");
        put(link("disk-again", TarConstants.LF_LINK, "disk"), "");
        put(new TarArchiveEntry("two\nlines"), "content");
        importImage();

        SandboxHandle made = create(new RecordingListener());

        if (isolation == Isolation.CONTAINER) {
            Path root = root(made);
            assertThat(Files.getAttribute(root.resolve("again"), "unix:mode")).isEqualTo(0104755);
            assertThat(Files.getAttribute(root.resolve("again"), "unix:uid")).isEqualTo(4711);
            assertThat(Files.getAttribute(root.resolve("again"), "unix:nlink")).isEqualTo(2);
            assertThat(Files.readSymbolicLink(root.resolve("soft-again"))).hasToString("su");
            assertThat(root.resolve("two\nlines")).hasContent("content");
            for (String device : new String[] {"disk", "disk-again"}) {
                assertThat(Files.exists(root.resolve(device), LinkOption.NOFOLLOW_LINKS))
                        .isFalse();
            }
        }
        outcome(driver.destroy(made.id()));
    }

    @Test
    void aNameThatIsNotUnicodeIsRefused() throws IOException {
        put(new TarArchiveEntry("na\u00efve"), "content");
        importImage();

        DriverException refused = refusal();

        assertThat(refused.kind()).isEqualTo(Kind.IMAGE_REFUSED);
        assertThat(refused).hasMessageContaining("it has a file whose name is not in UTF-8: na?ve.");
        assertThat(content.resolve("vivarium/images")).isEmptyDirectory();
    }

    // ---- what happens to it in the engine

    @Test
    void sandboxesKeepTheImageThatTheyStartedFrom() throws IOException {
        put(new TarArchiveEntry("version"), "one");
        importImage();
        SandboxHandle first = create(new RecordingListener());
        begin();
        put(new TarArchiveEntry("version"), "two");
        importImage();
        RecordingListener heard = new RecordingListener();
        SandboxHandle second = create(heard);
        Docker.run("rmi", "-f", image);

        assertThat(refusal())
                .hasMessageContaining("has no image " + image)
                .extracting(DriverException::kind)
                .isEqualTo(Kind.IMAGE_UNAVAILABLE);

        if (isolation == Isolation.CONTAINER) {
            assertThat(root(first).resolve("version")).hasContent("one");
            assertThat(root(second).resolve("version")).hasContent("two");
        }
        second.channel().send(new NodeFrame.Ping(7));
        assertThat(heard.await(GuestFrame.Pong.class).request()).isEqualTo(7);
        outcome(driver.destroy(first.id()));
        outcome(driver.destroy(second.id()));
    }

    @Test
    void anImageThatIsRemovedBeforeItIsUnpackedIsUnavailable() {
        try (EngineImages images = new EngineImages(engine)) {
            assertThatThrownBy(() ->
                            images.unpack("sha256:" + "0123456789abcdef".repeat(4), Duration.ofSeconds(20), any -> {}))
                    .isInstanceOfSatisfying(DriverException.class, refused -> assertThat(refused.kind())
                            .isEqualTo(Kind.IMAGE_UNAVAILABLE))
                    .hasMessageContaining("was removed from the container engine before it was unpacked");
        }
    }

    @Test
    void whatANodeWasUnpackingWhenItDiedIsRemovedByItsNextStart() throws IOException {
        put(new TarArchiveEntry("file"), "content");
        importImage();
        String left = new Labels(engine).unpackingName("0123456789abcdef");
        String others = new Labels(TestSandboxes.config(engine.installation(), "node-2")).unpackingName("01234567");
        Docker.run("create", "--name", left, image, "/never-started");
        Docker.run("create", "--name", others, image, "/never-started");

        SandboxHandle made = create(new RecordingListener());

        assertThat(Docker.run("ps", "-a", "--format", "{{.Names}}").lines())
                .doesNotContain(left)
                .contains(others);
        Docker.run("rm", others);
        outcome(driver.destroy(made.id()));
    }

    // ---- vocabulary of the tests

    private SandboxHandle create(RecordingListener heard) {
        SandboxHandle made =
                outcome(driver.create(newId(), TestSandboxes.template(image, isolation), new Purpose.ToWait(), heard));
        heard.confirmOn(made.channel());
        return made;
    }

    private DriverException refusal() {
        SandboxId id = newId();
        return failure(driver.create(
                id, TestSandboxes.template(image, isolation), new Purpose.ToWait(), new RecordingListener()));
    }

    private static Path root(SandboxHandle made) {
        return Path.of("/proc", Long.toString(made.initProcess().orElseThrow().pid()), "root");
    }

    private void importImage() throws IOException {
        archive.close();
        Docker.run(bytes.toByteArray(), "import", "-", image);
    }

    private static TarArchiveEntry link(String name, byte type, String target) {
        TarArchiveEntry entry = new TarArchiveEntry(name, type);
        entry.setLinkName(target);
        return entry;
    }

    private void put(TarArchiveEntry entry, String text) throws IOException {
        byte[] file = text.getBytes(StandardCharsets.UTF_8);
        entry.setSize(file.length);
        archive.putArchiveEntry(entry);
        archive.write(file);
        archive.closeArchiveEntry();
    }
}
