package dev.vivarium.persistence.audit.tlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.protocol.audit.RangeRoot;
import dev.vivarium.protocol.audit.Verify;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StoredTreeTest {
    private static final int LEAVES = 600;

    private final MemoryTiles tiles = new MemoryTiles();

    private static List<byte[]> leaves(long from, long to) {
        List<byte[]> leaves = new ArrayList<>();
        for (long at = from; at < to; at++) {
            leaves.add(Verify.leafHash(ByteBuffer.allocate(8).putLong(at).array()));
        }
        return leaves;
    }

    /** RFC 9162, section 2.1.1, word for word. */
    private static byte[] byDefinition(List<byte[]> leafHashes) {
        if (leafHashes.size() == 1) {
            return leafHashes.get(0);
        }
        int split = Integer.highestOneBit(leafHashes.size() - 1);
        return Verify.nodeHash(
                byDefinition(leafHashes.subList(0, split)), byDefinition(leafHashes.subList(split, leafHashes.size())));
    }

    @Test
    void everyTreeHasTheRootOfTheDefinitionHoweverItsLeavesCame() {
        Random random = new Random(17);
        TreeEdge edge = new TreeEdge();
        List<byte[]> all = leaves(0, 66_000);
        while (edge.size() < all.size()) {
            int next = (int) Math.min(all.size(), edge.size() + 1 + random.nextInt(random.nextBoolean() ? 3 : 1_500));
            tiles.put(edge.append(all.subList((int) edge.size(), next)));

            assertThat(edge.root()).isEqualTo(byDefinition(all.subList(0, next)));
            TreeEdge again = TreeEdge.of(next, tiles);
            assertThat(again.root()).isEqualTo(edge.root());
            edge = random.nextBoolean() ? again : edge;
        }
    }

    @Test
    void everyLeafOfEveryTreeIsProvenAndNoOtherLeafIs() {
        List<byte[]> all = leaves(0, LEAVES);
        tiles.put(new TreeEdge().append(all));
        for (int size : List.of(1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 513, LEAVES)) {
            StoredTree tree = new StoredTree(size, tiles);
            byte[] root = tree.root();
            assertThat(root).isEqualTo(byDefinition(all.subList(0, size)));
            for (int at = 0; at < size; at++) {
                List<byte[]> proof = tree.inclusion(at);
                assertThat(tree.leafHash(at)).isEqualTo(all.get(at));
                assertThat(Verify.rootOf(at, size, all.get(at), proof)).hasValue(root);
                assertThat(Verify.rootOf(at, size, all.get((at + 1) % LEAVES), proof)
                                .map(other -> Arrays.equals(other, root)))
                        .hasValue(false);
                assertThat(Verify.rootOf((at + 1) % size, size, all.get(at), proof)
                                .map(other -> Arrays.equals(other, root) && size > 1))
                        .isNotEqualTo(java.util.Optional.of(true));
            }
        }
    }

    @Test
    void everyTreeIsProvenToBeginWithEveryEarlierOne() {
        tiles.put(new TreeEdge().append(leaves(0, LEAVES)));
        for (int size : List.of(1, 2, 6, 8, 257, 512, LEAVES)) {
            StoredTree tree = new StoredTree(size, tiles);
            for (int earlier = 1; earlier <= size; earlier++) {
                List<byte[]> proof = tree.consistency(earlier);
                byte[] before = tree.rootAt(earlier);
                assertThat(Verify.isConsistent(earlier, before, size, tree.root(), proof))
                        .isTrue();
                assertThat(Verify.isConsistent(earlier, Verify.leafHash(before), size, tree.root(), proof))
                        .isFalse();
            }
        }
    }

    @Test
    void theSubtreesThatCoverARangeTogetherWithItsLeavesGiveTheRoot() {
        List<byte[]> all = leaves(0, LEAVES);
        tiles.put(new TreeEdge().append(all));
        for (int size : List.of(1, 5, 256, 300, LEAVES)) {
            StoredTree tree = new StoredTree(size, tiles);
            for (int from = 0; from < size; from += 1 + size / 40) {
                for (int to = from + 1; to <= size; to += 1 + size / 40) {
                    RangeRoot range = new RangeRoot(from, tree.cover(0, from));
                    all.subList(from, to).forEach(range::append);
                    tree.cover(to, size).forEach(range::appendSubtree);
                    assertThat(range.root(size)).hasValue(tree.root());
                    RangeRoot other = new RangeRoot(from, tree.cover(0, from));
                    all.subList(from, to - 1).forEach(other::append);
                    other.append(Verify.leafHash(new byte[] {1}));
                    tree.cover(to, size).forEach(other::appendSubtree);
                    assertThat(other.root(size).map(root -> Arrays.equals(root, tree.root())))
                            .hasValue(false);
                }
            }
        }
    }

    @Test
    void aTileThatIsGoneOrTooShortIsSaid() {
        assertThatThrownBy(() -> new StoredTree(5, tiles).root()).isInstanceOf(TreeDamaged.class);
        tiles.put(new TreeEdge().append(leaves(0, 4)));
        assertThatThrownBy(() -> TreeEdge.of(5, tiles)).isInstanceOf(TreeDamaged.class);
    }
}
