// SPDX-License-Identifier: MIT
package main

import (
	"context"
	"fmt"
	"os"

	"nhooyr.io/websocket"
)

func main() {
	ctx := context.Background()
	options := websocket.DialOptions{}
	if os.Args[2] != "" {
		options.Subprotocols = []string{os.Args[2]}
	}
	socket, _, err := websocket.Dial(ctx, os.Args[1], &options)
	if err != nil {
		fmt.Println("raised", err)
		os.Exit(1)
	}
	socket.SetReadLimit(1 << 20)
	fmt.Println("open", socket.Subprotocol())
	for _, line := range os.Args[3:] {
		socket.Write(ctx, websocket.MessageText, []byte(line))
	}
	for {
		_, data, err := socket.Read(ctx)
		if err != nil {
			fmt.Println("closed", err)
			return
		}
		text := string(data)
		fmt.Println("message", text)
		if text[0] == '>' {
			socket.Write(ctx, websocket.MessageText, data[1:])
		}
		if text == "bye" {
			err := socket.Close(websocket.StatusNormalClosure, "")
			fmt.Println("closed", err)
			return
		}
	}
}
