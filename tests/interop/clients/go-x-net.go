// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"net/url"
	"os"

	"golang.org/x/net/websocket"
)

func main() {
	to, _ := url.Parse(os.Args[1])
	config, _ := websocket.NewConfig(os.Args[1], "http://"+to.Host)
	if os.Args[2] != "" {
		config.Protocol = []string{os.Args[2]}
	}
	socket, err := websocket.DialConfig(config)
	if err != nil {
		fmt.Println("raised", err)
		os.Exit(1)
	}
	protocol := ""
	if len(socket.Config().Protocol) > 0 {
		protocol = socket.Config().Protocol[0]
	}
	fmt.Println("open", protocol)
	for _, line := range os.Args[3:] {
		websocket.Message.Send(socket, line)
	}
	for {
		var text string
		if err := websocket.Message.Receive(socket, &text); err != nil {
			fmt.Println("closed", err)
			return
		}
		fmt.Println("message", text)
		if text[0] == '>' {
			websocket.Message.Send(socket, text[1:])
		}
		if text == "bye" {
			socket.Close()
		}
	}
}
