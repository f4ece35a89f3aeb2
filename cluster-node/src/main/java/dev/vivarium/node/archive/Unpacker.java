package dev.vivarium.node.archive;

import dev.vivarium.protocol.guest.NodeFrame.LinkKind;
import dev.vivarium.protocol.run.FileMode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.pekko.util.ByteString;

/**
 * Turns an archive into steps that unpack it into a folder of a sandbox, while it arrives. Each entry of a hostile archive
 * is checked here completely before its first step; that no step follows a link is ensured by the guest. A state machine
 * without I/O; for one archive, not thread-safe.
 */
final class Unpacker {
    /** How many created folders are remembered; each forgotten one may be counted once more. */
    private static final int FOLDERS_KNOWN_MAX = 4_096;

    private static final int CLOSED_FOLDERS_MAX = 4_096;
    private static final int OPEN_BITS = 0700;

    private final String folder;
    private final String root;
    private final int folderDepth;
    private final UnpackRoom room;
    private final TarReader reader = new TarReader();
    private final Set<String> knownFolders = new HashSet<>();
    /** Folders that their owner may not use: they get their modes last. */
    private final List<UnpackStep.Folder> closedFolders = new ArrayList<>();

    private long bytes;
    private long files;
    private String path = "";
    private TarEntry entry = new TarEntry("", TarEntry.Type.FOLDER, FileMode.PLAIN, 0, "");
    private long offset;

    /**
     * @param folder the absolute path of the folder to unpack into
     * @param root the writable folder that contains it, out of which no link may lead
     */
    Unpacker(String folder, String root, UnpackRoom room) {
        this.folder = folder;
        this.root = root;
        this.folderDepth = (int)
                folder.substring(root.length()).chars().filter(c -> c == '/').count();
        this.room = room;
    }

    /** The steps that result from the next bytes of the archive. */
    List<UnpackStep> add(ByteString more) {
        if (reader.isOver()) {
            return List.of();
        }
        List<UnpackStep> steps = new ArrayList<>();
        for (TarReader.Part part : reader.add(more)) {
            if (part instanceof TarReader.Part.Entry begun) {
                begin(begun.entry(), steps);
            } else if (part instanceof TarReader.Part.Content content) {
                steps.add(UnpackStep.Part.of(path, entry.mode(), entry.size(), offset, content.bytes()));
                offset += content.bytes().size();
            }
        }
        if (reader.isOver()) {
            // The deepest first, while their parents are still accessible.
            closedFolders.sort(Comparator.comparingInt(
                            (UnpackStep.Folder closed) -> closed.path().length())
                    .reversed());
            steps.addAll(closedFolders);
            steps.add(new UnpackStep.Unpacked(folder, new UnpackRoom(bytes, files)));
        }
        return steps;
    }

    /** The archive has ended. */
    void end() {
        reader.end();
    }

    private void begin(TarEntry begun, List<UnpackStep> steps) {
        entry = begun;
        offset = 0;
        List<String> parts = EntryPath.parts(entry.name(), entry.name(), "has a path that");
        if (parts.isEmpty()) {
            if (entry.type() != TarEntry.Type.FOLDER) {
                throw BadArchive.entry(entry.name(), "is to take the place of the folder that is unpacked into");
            }
            return;
        }
        path = folder + "/" + String.join("/", parts);
        count(parts);
        switch (entry.type()) {
            case FILE -> {
                if (entry.size() == 0) {
                    steps.add(UnpackStep.Part.of(path, entry.mode(), 0, 0, ByteString.emptyByteString()));
                }
            }
            case FOLDER -> makeFolder(steps);
            case SYMBOLIC_LINK -> {
                EntryPath.checkTarget(entry.name(), entry.target(), root, folderDepth + parts.size() - 1);
                steps.add(new UnpackStep.Link(path, LinkKind.SYMBOLIC, entry.target()));
            }
            case HARD_LINK -> steps.add(new UnpackStep.Link(path, LinkKind.HARD, hardTarget()));
        }
    }

    private String hardTarget() {
        List<String> parts = EntryPath.parts(entry.name(), entry.target(), "is a link to a path that");
        if (parts.isEmpty()) {
            throw BadArchive.entry(entry.name(), "is a hard link to a folder");
        }
        return folder + "/" + String.join("/", parts);
    }

    private void makeFolder(List<UnpackStep> steps) {
        if ((entry.mode().bits() & OPEN_BITS) == OPEN_BITS) {
            steps.add(new UnpackStep.Folder(path, entry.mode()));
            return;
        }
        if (closedFolders.size() == CLOSED_FOLDERS_MAX) {
            throw BadArchive.entry(
                    entry.name(),
                    "is one of more than " + CLOSED_FOLDERS_MAX
                            + " folders that their owner may not use: open them with"
                            + " chmod -R u+rwx before you pack");
        }
        steps.add(new UnpackStep.Folder(path, new FileMode(entry.mode().bits() | OPEN_BITS)));
        closedFolders.add(new UnpackStep.Folder(path, entry.mode()));
    }

    private void count(List<String> parts) {
        StringBuilder parent = new StringBuilder();
        for (String part : parts.subList(0, parts.size() - 1)) {
            countFolder(parent.append('/').append(part).toString());
        }
        if (entry.type() == TarEntry.Type.FOLDER) {
            countFolder(parent.append('/').append(parts.get(parts.size() - 1)).toString());
        } else {
            files++;
        }
        if (entry.size() > room.bytes() - bytes) {
            throw BadArchive.entry(
                    entry.name(),
                    "has " + entry.size() + " bytes, and limits.disk leaves room for " + (room.bytes() - bytes));
        }
        bytes += entry.size();
        if (files > room.files()) {
            throw BadArchive.entry(
                    entry.name(), "is one more than limits.files leaves room for (" + room.files() + ")");
        }
    }

    private void countFolder(String below) {
        if (knownFolders.size() == FOLDERS_KNOWN_MAX) {
            knownFolders.clear();
        }
        if (knownFolders.add(below)) {
            files++;
        }
    }
}
