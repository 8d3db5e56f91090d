// SPDX-License-Identifier: MIT
#include <Poco/Buffer.h>
#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/WebSocket.h>
#include <Poco/URI.h>
#include <iostream>
#include <string>

using namespace Poco::Net;

/* Its library hands pings and closes to the application. */
static bool
take(WebSocket &socket)
{
	Poco::Buffer<char> buffer(0);
	int flags = 0;
	int length = socket.receiveFrame(buffer, flags);
	int opcode = flags & WebSocket::FRAME_OP_BITMASK;
	std::string text(buffer.begin(), buffer.size());

	if (opcode == WebSocket::FRAME_OP_PING) {
		socket.sendFrame(text.data(), length,
		    WebSocket::FRAME_FLAG_FIN | WebSocket::FRAME_OP_PONG);
	} else if (opcode == WebSocket::FRAME_OP_CLOSE || flags == 0) {
		std::cout << "closed";
		if (length >= 2)
			std::cout << ' ' << (static_cast<unsigned char>(text[0])
				<< 8 | static_cast<unsigned char>(text[1]))
				  << ' ' << text.substr(2);
		std::cout << std::endl;
		return false;
	} else {
		std::cout << "message " << text << std::endl;
		if (text[0] == '>')
			socket.sendFrame(text.data() + 1, length - 1);
		if (text == "bye")
			socket.shutdown();
	}
	return true;
}

int
main(int argc, char *argv[])
{
	Poco::URI url(argv[1]);
	HTTPClientSession session(url.getHost(), url.getPort());
	HTTPRequest request("GET", url.getPathAndQuery(), "HTTP/1.1");
	HTTPResponse response;

	if (argv[2][0] != '\0')
		request.set("Sec-WebSocket-Protocol", argv[2]);
	try {
		WebSocket socket(session, request, response);

		socket.setReceiveTimeout(Poco::Timespan(600, 0));
		std::cout << "open "
			  << response.get("Sec-WebSocket-Protocol", "")
			  << std::endl;
		for (int i = 3; i < argc; i++)
			socket.sendFrame(argv[i], std::string(argv[i]).size());
		while (take(socket))
			;
	} catch (Poco::Exception &error) {
		std::cout << "closed " << error.displayText() << std::endl;
	}
}
