package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.Closing;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.protocol.egress.InjectedHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledHeapByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Adds headers with secrets to the head of a connection's single request, between the codec and TLS. They are added as
 * bytes, so that no string, header map or pooled buffer ever contains them. Their buffer is overwritten once TLS has
 * consumed it.
 */
final class SecretHeaders extends ChannelOutboundHandlerAdapter {
    private static final byte[] LINE_END = {'\r', '\n'};
    private static final byte[] HEAD_END = {'\r', '\n', '\r', '\n'};

    private final List<byte[]> parts;
    private boolean added;

    private SecretHeaders(List<byte[]> parts) {
        this.parts = parts;
    }

    /** The headers for a sandbox's request; empty when a secret is missing, since the sandbox is gone. */
    static Optional<SecretHeaders> of(EgressSubject subject, List<InjectedHeader> headers) {
        List<byte[]> parts = new ArrayList<>();
        for (InjectedHeader header : headers) {
            Optional<byte[]> secret = subject.secrets().copyOf(header.secret());
            if (secret.isEmpty()) {
                wipe(parts);
                return Optional.empty();
            }
            parts.add((header.header() + ": " + header.prefix()).getBytes(StandardCharsets.US_ASCII));
            parts.add(secret.get());
            parts.add(LINE_END.clone());
        }
        return Optional.of(new SecretHeaders(parts));
    }

    /** Removes the client's headers that a server could take for one of these. */
    static void makeRoom(HttpHeaders sent, List<InjectedHeader> headers) {
        for (String name : List.copyOf(sent.names())) {
            if (headers.stream().anyMatch(header -> header.looksLike(name))) {
                sent.remove(name);
            }
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) throws Exception {
        if (added || !(message instanceof ByteBuf head)) {
            super.write(context, message, promise);
            return;
        }
        added = true;
        if (!endsHead(head)) {
            ReferenceCountUtil.release(head);
            wipe(parts);
            promise.setFailure(new IllegalStateException("The codec writes the head of a request in one piece."));
            Closing.of(context.channel());
            return;
        }
        int length = head.readableBytes()
                + parts.stream().mapToInt(part -> part.length).sum();
        ByteBuf whole = new WipedBuffer(length);
        try {
            whole.writeBytes(head, head.readableBytes() - LINE_END.length);
            parts.forEach(whole::writeBytes);
            whole.writeBytes(head);
        } finally {
            head.release();
            wipe(parts);
        }
        super.write(context, whole, promise);
    }

    private static boolean endsHead(ByteBuf head) {
        int end = head.writerIndex();
        if (head.readableBytes() < HEAD_END.length) {
            return false;
        }
        byte[] last = new byte[HEAD_END.length];
        head.getBytes(end - last.length, last);
        return Arrays.equals(last, HEAD_END);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        wipe(parts);
    }

    private static void wipe(List<byte[]> parts) {
        parts.forEach(part -> Arrays.fill(part, (byte) 0));
    }

    /** Unpooled, and overwritten on its last release. */
    private static final class WipedBuffer extends UnpooledHeapByteBuf {
        WipedBuffer(int length) {
            super(UnpooledByteBufAllocator.DEFAULT, length, length);
        }

        @Override
        protected void freeArray(byte[] array) {
            Arrays.fill(array, (byte) 0);
            super.freeArray(array);
        }
    }
}
