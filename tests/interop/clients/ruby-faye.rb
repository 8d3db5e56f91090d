# SPDX-License-Identifier: MIT
require 'eventmachine'
require 'faye/websocket'

$stdout.sync = true
url, protocol, *lines = ARGV

EM.run do
  socket = Faye::WebSocket::Client.new(url, protocol == '' ? nil : [protocol])
  socket.on :open do
    puts "open #{socket.protocol}"
    lines.each { |line| socket.send(line) }
  end
  socket.on :message do |event|
    puts "message #{event.data}"
    socket.send(event.data[1..]) if event.data.start_with?('>')
    socket.close(1000) if event.data == 'bye'
  end
  socket.on(:error) { |event| puts "raised #{event.message}" }
  socket.on :close do |event|
    puts "closed #{event.code} #{event.reason}"
    EM.stop
  end
end
