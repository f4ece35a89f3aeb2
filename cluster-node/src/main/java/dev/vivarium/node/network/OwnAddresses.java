package dev.vivarium.node.network;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;

/**
 * The addresses of this machine, queried from the kernel each time: they may change at any moment, and a service on a
 * public one is not necessarily meant for everyone.
 */
final class OwnAddresses {
    private OwnAddresses() {}

    /**
     * Whether packets to the address end on this machine. Only own addresses, of any routing table, can be bound to,
     * and binding is a single system call however many interfaces there are.
     */
    static boolean contains(InetAddress address) {
        try {
            return bindsAnything() ? NetworkInterface.getByInetAddress(address) != null : canBeBound(address);
        } catch (SocketException unknown) {
            throw new UncheckedIOException("The node's own addresses cannot be read.", unknown);
        }
    }

    private static boolean canBeBound(InetAddress address) {
        try (DatagramSocket bound = new DatagramSocket(new InetSocketAddress(address, 0))) {
            return bound.isBound();
        } catch (SocketException ofSomebodyElse) {
            return false;
        }
    }

    /** Whether the machine allows binding to foreign addresses, as set up for address take-over. */
    private static boolean bindsAnything() {
        try {
            return !KernelSetting.read("ipv4/ip_nonlocal_bind").equals("0");
        } catch (IOException noSuchSetting) {
            return false;
        }
    }
}
