// SPDX-License-Identifier: MIT
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <iostream>
#include <regex>
#include <string>

namespace beast = boost::beast;
namespace websocket = beast::websocket;

int
main(int argc, char *argv[])
{
	std::smatch part;
	std::string url = argv[1], protocol = argv[2];

	std::regex_match(url, part, std::regex("ws://([^:]+):(\\d+)(/.*)"));
	boost::asio::io_context context;
	boost::asio::ip::tcp::resolver resolver(context);
	websocket::stream<boost::asio::ip::tcp::socket> socket(context);
	websocket::response_type response;

	boost::asio::connect(
	    socket.next_layer(), resolver.resolve(part.str(1), part.str(2)));
	if (!protocol.empty())
		socket.set_option(websocket::stream_base::decorator(
		    [&](websocket::request_type &request) {
			    request.set(
				beast::http::field::sec_websocket_protocol,
				protocol);
		    }));
	socket.handshake(response, part.str(1) + ":" + part.str(2), part.str(3));
	std::cout << "open " << response["Sec-WebSocket-Protocol"] << std::endl;
	for (int i = 3; i < argc; i++)
		socket.write(boost::asio::buffer(std::string(argv[i])));
	for (;;) {
		beast::flat_buffer buffer;
		beast::error_code error;

		socket.read(buffer, error);
		if (error) {
			std::cout << "closed " << error.message() << "; "
				  << socket.reason().code << ' '
				  << socket.reason().reason << std::endl;
			return 0;
		}
		std::string text = beast::buffers_to_string(buffer.data());

		std::cout << "message " << text << std::endl;
		if (text[0] == '>')
			socket.write(boost::asio::buffer(text.substr(1)));
		if (text == "bye") {
			socket.close(websocket::close_code::normal);
			std::cout << "closed" << std::endl;
			return 0;
		}
	}
}
