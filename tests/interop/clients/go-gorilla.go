// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"os"

	"github.com/gorilla/websocket"
)

func main() {
	dialer := websocket.Dialer{}
	if os.Args[2] != "" {
		dialer.Subprotocols = []string{os.Args[2]}
	}
	socket, _, err := dialer.Dial(os.Args[1], nil)
	if err != nil {
		fmt.Println("raised", err)
		os.Exit(1)
	}
	fmt.Println("open", socket.Subprotocol())
	for _, line := range os.Args[3:] {
		socket.WriteMessage(websocket.TextMessage, []byte(line))
	}
	for {
		_, data, err := socket.ReadMessage()
		if err != nil {
			fmt.Println("closed", err)
			return
		}
		text := string(data)
		fmt.Println("message", text)
		if text[0] == '>' {
			socket.WriteMessage(websocket.TextMessage, data[1:])
		}
		if text == "bye" {
			socket.WriteMessage(websocket.CloseMessage,
				websocket.FormatCloseMessage(1000, ""))
		}
	}
}
