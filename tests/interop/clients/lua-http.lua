-- SPDX-License-Identifier: MIT
local websocket = require "http.websocket"

io.stdout:setvbuf("line")
local url, protocol = arg[1], arg[2]
local socket = websocket.new_from_uri(url, protocol ~= "" and { protocol } or nil)

assert(socket:connect())
print("open " .. (socket.protocol or ""))
for i = 3, #arg do
	socket:send(arg[i])
end
while true do
	local text, kind, code = socket:receive()
	if not text then
		print("closed", kind, code)
		break
	end
	print("message " .. text)
	if text:sub(1, 1) == ">" then
		socket:send(text:sub(2))
	end
	if text == "bye" then
		socket:close(1000)
		print("closed")
		break
	end
end
