package dev.vivarium.node.network.resolver;

import com.google.common.net.InetAddresses;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.dns.DatagramDnsQuery;
import io.netty.handler.codec.dns.DatagramDnsQueryDecoder;
import io.netty.handler.codec.dns.DatagramDnsResponse;
import io.netty.handler.codec.dns.DatagramDnsResponseEncoder;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DefaultDnsRawRecord;
import io.netty.handler.codec.dns.DefaultDnsResponse;
import io.netty.handler.codec.dns.DnsQuery;
import io.netty.handler.codec.dns.DnsQuestion;
import io.netty.handler.codec.dns.DnsRawRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponse;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.handler.codec.dns.DnsSection;
import io.netty.handler.codec.dns.TcpDnsQueryDecoder;
import io.netty.handler.codec.dns.TcpDnsResponseEncoder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** A resolver as a node has one, on loopback, with the names that a test gives it; others do not exist. */
public final class FakeUpstream implements AutoCloseable {
    private static final InetAddress LOOPBACK = InetAddresses.forString("127.0.0.1");

    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Map<String, BiConsumer<DnsQuestion, DnsResponse>> names = new ConcurrentHashMap<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final List<InetSocketAddress> askers = new CopyOnWriteArrayList<>();
    private final List<Integer> ids = new CopyOnWriteArrayList<>();
    private final Channel udp;

    public FakeUpstream() {
        udp = listen();
    }

    /** Binds UDP and TCP to the same port; if one of them is taken, tries another port. */
    private Channel listen() {
        while (true) {
            Channel datagrams = new Bootstrap()
                    .group(loops)
                    .channel(NioDatagramChannel.class)
                    .handler(new ChannelInitializer<NioDatagramChannel>() {
                        @Override
                        protected void initChannel(NioDatagramChannel channel) {
                            channel.pipeline()
                                    .addLast(new DatagramDnsQueryDecoder())
                                    .addLast(new DatagramDnsResponseEncoder())
                                    .addLast(new Datagrams());
                        }
                    })
                    .bind(LOOPBACK, 0)
                    .syncUninterruptibly()
                    .channel();
            ChannelFuture connections = new ServerBootstrap()
                    .group(loops)
                    .channel(NioServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<NioSocketChannel>() {
                        @Override
                        protected void initChannel(NioSocketChannel channel) {
                            channel.pipeline()
                                    .addLast(new TcpDnsQueryDecoder())
                                    .addLast(new TcpDnsResponseEncoder())
                                    .addLast(new Connections());
                        }
                    })
                    .bind(LOOPBACK, ((InetSocketAddress) datagrams.localAddress()).getPort())
                    .awaitUninterruptibly();
            if (connections.isSuccess()) {
                return datagrams;
            }
            datagrams.close().syncUninterruptibly();
        }
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) udp.localAddress();
    }

    /** The host has these addresses. */
    public FakeUpstream has(String name, String... addresses) {
        return answers(name, (question, response) -> {
            for (String address : addresses) {
                response.addRecord(DnsSection.ANSWER, address(question.name(), address));
            }
        });
    }

    /** The host answers like this. */
    public FakeUpstream answers(String name, BiConsumer<DnsQuestion, DnsResponse> answer) {
        names.put(name + ".", answer);
        return this;
    }

    /** The names that were asked for, one for each question. */
    public List<String> asked() {
        return List.copyOf(asked);
    }

    List<InetSocketAddress> askers() {
        return List.copyOf(askers);
    }

    List<Integer> ids() {
        return List.copyOf(ids);
    }

    @Override
    public void close() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    static DnsRawRecord address(String name, String address) {
        return new DefaultDnsRawRecord(
                name,
                DnsRecordType.A,
                300,
                Unpooled.wrappedBuffer(InetAddresses.forString(address).getAddress()));
    }

    static DnsRawRecord alias(String name, String target) {
        ByteBuf content = Unpooled.buffer();
        for (String label : target.split("\\.", -1)) {
            content.writeByte(label.length()).writeCharSequence(label, StandardCharsets.US_ASCII);
        }
        return new DefaultDnsRawRecord(name, DnsRecordType.CNAME, 300, content.writeByte(0));
    }

    private <T extends DnsResponse> T answered(DnsQuery query, T response, InetSocketAddress from) {
        DnsQuestion question = query.recordAt(DnsSection.QUESTION);
        asked.add(question.name());
        askers.add(from);
        ids.add(query.id());
        response.addRecord(DnsSection.QUESTION, new DefaultDnsQuestion(question.name(), question.type()));
        names.getOrDefault(question.name(), (unknown, answer) -> answer.setCode(DnsResponseCode.NXDOMAIN))
                .accept(question, response);
        return response;
    }

    private final class Datagrams extends SimpleChannelInboundHandler<DatagramDnsQuery> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, DatagramDnsQuery query) {
            InetSocketAddress here = query.recipient();
            InetSocketAddress asker = query.sender();
            DatagramDnsResponse response = answered(query, new DatagramDnsResponse(here, asker, query.id()), asker);
            if (!response.code().equals(SILENCE)) {
                context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
            } else {
                response.release();
            }
        }
    }

    private final class Connections extends SimpleChannelInboundHandler<DnsQuery> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, DnsQuery query) {
            InetSocketAddress from = (InetSocketAddress) context.channel().remoteAddress();
            DnsResponse response = answered(query, new DefaultDnsResponse(query.id()), from);
            response.setTruncated(false);
            context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        }
    }

    /** The code of an answer that is never sent. */
    static final DnsResponseCode SILENCE = new DnsResponseCode(15, "SILENCE");
}
