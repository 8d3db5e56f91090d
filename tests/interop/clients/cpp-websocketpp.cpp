// SPDX-License-Identifier: MIT
#include <iostream>
#include <string>
#include <websocketpp/client.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>

using client_type = websocketpp::client<websocketpp::config::asio_client>;
using websocketpp::connection_hdl;

int
main(int argc, char *argv[])
{
	client_type client;
	websocketpp::lib::error_code error;
	const auto text_frame = websocketpp::frame::opcode::text;

	client.clear_access_channels(websocketpp::log::alevel::all);
	client.clear_error_channels(websocketpp::log::elevel::all);
	client.init_asio();
	client.set_open_handler([&](connection_hdl handle) {
		auto connection = client.get_con_from_hdl(handle);

		std::cout << "open "
			  << connection->get_response_header(
				 "Sec-WebSocket-Protocol")
			  << std::endl;
		for (int i = 3; i < argc; i++)
			client.send(handle, std::string(argv[i]), text_frame);
	});
	client.set_message_handler(
	    [&](connection_hdl handle, client_type::message_ptr message) {
		    std::string text = message->get_payload();

		    std::cout << "message " << text << std::endl;
		    if (text[0] == '>')
			    client.send(handle, text.substr(1), text_frame);
		    if (text == "bye")
			    client.close(handle,
				websocketpp::close::status::normal, "");
	    });
	client.set_fail_handler([&](connection_hdl handle) {
		std::cout << "raised "
			  << client.get_con_from_hdl(handle)->get_ec().message()
			  << std::endl;
	});
	client.set_close_handler([&](connection_hdl handle) {
		auto connection = client.get_con_from_hdl(handle);

		std::cout << "closed " << connection->get_remote_close_code()
			  << ' ' << connection->get_remote_close_reason()
			  << std::endl;
	});
	auto connection = client.get_connection(argv[1], error);

	if (argv[2][0] != '\0')
		connection->add_subprotocol(argv[2]);
	client.connect(connection);
	client.run();
}
