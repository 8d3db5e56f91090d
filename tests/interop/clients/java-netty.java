// SPDX-License-Identifier: MIT
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.websocketx.*;
import java.net.URI;

public class Client extends SimpleChannelInboundHandler<WebSocketFrame> {
	private static String[] args;
	private static WebSocketClientHandshaker handshaker;

	private static void say(String line) {
		System.out.println(line);
	}

	@Override
	public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
		if (event != WebSocketClientProtocolHandler
		    .ClientHandshakeStateEvent.HANDSHAKE_COMPLETE)
			return;
		String protocol = handshaker.actualSubprotocol();

		say("open " + (protocol == null ? "" : protocol));
		for (int i = 2; i < args.length; i++)
			ctx.writeAndFlush(new TextWebSocketFrame(args[i]));
	}

	@Override
	protected void channelRead0(ChannelHandlerContext ctx,
	    WebSocketFrame frame) {
		if (frame instanceof CloseWebSocketFrame close) {
			say("told " + close.statusCode() + " " +
			    close.reasonText());
			ctx.writeAndFlush(close.retain());
		} else if (frame instanceof TextWebSocketFrame message) {
			String text = message.text();

			say("message " + text);
			if (text.startsWith(">"))
				ctx.writeAndFlush(new TextWebSocketFrame(
				    text.substring(1)));
			if (text.equals("bye"))
				ctx.writeAndFlush(
				    new CloseWebSocketFrame(1000, ""));
		}
	}

	@Override
	public void exceptionCaught(ChannelHandlerContext ctx, Throwable error) {
		say("raised " + error);
	}

	@Override
	public void channelInactive(ChannelHandlerContext ctx) {
		say("closed");
	}

	public static void main(String[] words) throws Exception {
		URI url = URI.create(words[0]);
		NioEventLoopGroup group = new NioEventLoopGroup(1);

		args = words;
		handshaker = WebSocketClientHandshakerFactory.newHandshaker(url,
		    WebSocketVersion.V13, words[1].isEmpty() ? null : words[1],
		    false, new DefaultHttpHeaders(), 1 << 20);
		new Bootstrap().group(group).channel(NioSocketChannel.class)
		    .handler(new ChannelInitializer<SocketChannel>() {
			    @Override
			    protected void initChannel(SocketChannel channel) {
				    channel.pipeline().addLast(
					new HttpClientCodec(),
					new HttpObjectAggregator(8192),
					new WebSocketClientProtocolHandler(
					    handshaker, false),
					new Client());
			    }
		    }).connect(url.getHost(), url.getPort()).sync().channel()
		    .closeFuture().sync();
		group.shutdownGracefully(0, 0,
		    java.util.concurrent.TimeUnit.SECONDS);
	}
}
