// SPDX-License-Identifier: MIT
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;

public class Client implements WebSocket.Listener {
	private final CountDownLatch ended = new CountDownLatch(1);
	private final StringBuilder text = new StringBuilder();

	private static void say(String line) {
		System.out.println(line);
	}

	public CompletionStage<?> onText(WebSocket socket, CharSequence part,
	    boolean last) {
		text.append(part);
		socket.request(1);
		if (!last)
			return null;
		String all = text.toString();

		text.setLength(0);
		say("message " + all);
		if (all.startsWith(">"))
			socket.sendText(all.substring(1), true).join();
		if (all.equals("bye"))
			socket.sendClose(1000, "").join();
		return null;
	}

	public CompletionStage<?> onClose(WebSocket socket, int code,
	    String reason) {
		say("closed " + code + " " + reason);
		ended.countDown();
		return null;
	}

	public void onError(WebSocket socket, Throwable error) {
		say("closed " + error);
		ended.countDown();
	}

	public static void main(String[] args) throws Exception {
		Client client = new Client();
		WebSocket.Builder builder =
		    HttpClient.newHttpClient().newWebSocketBuilder();

		if (!args[1].isEmpty())
			builder.subprotocols(args[1]);
		WebSocket socket =
		    builder.buildAsync(URI.create(args[0]), client).join();

		say("open " + socket.getSubprotocol());
		for (int i = 2; i < args.length; i++)
			socket.sendText(args[i], true).join();
		client.ended.await();
		System.exit(0);
	}
}
