package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SocketQueuesTest {
    @Test
    void aSocketHoldsWhatItHasReceivedAndWhatItHasToSend() {
        assertThat(SocketQueues.ofSocket("tcp ESTAB 60000 0 127.0.0.1:4000 127.0.0.1:50218"
                        + " skmem:(r66304,rb131072,t0,tb2626560,f3328,w1280,o0,bl0,d0)"))
                .isEqualTo(66_304 + 1_280);
        assertThat(SocketQueues.ofSocket("Cannot open netlink socket: Operation not permitted"))
                .isZero();
    }

    @Test
    void aNamespaceWithoutSocketsIsNotAskedForThem() {
        assertThat(
                        SocketQueues.hasSockets(
                                "sockets: used 3\nTCP: inuse 0 orphan 0 tw 7 alloc 9 mem 17\nUDP: inuse 0 mem 3\nRAW: inuse 2\n"))
                .isFalse();
        assertThat(SocketQueues.hasSockets("TCP6: inuse 0\nUDP6: inuse 4\nFRAG6: inuse 0 memory 0\n"))
                .isTrue();
    }

    /** Needs the right to enter the own network namespace, as a node has. */
    @Test
    void aDatagramThatNobodyReadsIsHeld() throws IOException {
        try (DatagramSocket unread = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            byte[] datagram = new byte[50_000];
            unread.send(new DatagramPacket(datagram, datagram.length, unread.getLocalSocketAddress()));

            assertThat(SocketQueues.bytes(Path.of("/proc/self"))).isGreaterThanOrEqualTo(datagram.length);
        }
    }
}
