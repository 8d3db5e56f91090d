# SPDX-License-Identifier: MIT
use strict;
use warnings;
use AnyEvent;
use AnyEvent::WebSocket::Client;

binmode STDOUT, ':utf8';
$| = 1;
my ($url, $protocol, @lines) = @ARGV;
my $ended = AE::cv;
my $connection;

AnyEvent::WebSocket::Client->new(
	$protocol ? (subprotocol => [$protocol]) : ()
)->connect($url)->cb(sub {
	$connection = eval { shift->recv };
	unless ($connection) {
		print "raised $@";
		return $ended->send;
	}
	print 'open ', $connection->subprotocol // '', "\n";
	$connection->on(each_message => sub {
		my $text = $_[1]->decoded_body;
		print "message $text\n";
		$connection->send(substr $text, 1) if $text =~ /^>/;
		$connection->close(1000) if $text eq 'bye';
	});
	$connection->on(parse_error => sub { print "raised $_[1]\n" });
	$connection->on(finish => sub {
		print 'closed ', $connection->close_code // 'without a code', ' ',
			$connection->close_reason // '', "\n";
		$ended->send;
	});
	$connection->send($_) for @lines;
});
$ended->recv;
